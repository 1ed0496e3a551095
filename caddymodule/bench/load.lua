-- The load of package bench, for wrk with one thread: requests that differ in
-- their page and in who asks, put together by concatenation, because wrk.format
-- costs more than the rest of wrk. The arguments, after --:
--
--   window       seconds, or fewer where the limit is reached; more where no
--                connection has had an answer yet
--   limit        requests
--   connections  as wrk has them
--   path         what each page's address begins with
--   first        number of the first page
--   cycle        pages after which the first comes again; 0: never
--   fields       header fields of every request, ended by line breaks
--   lines        file with one header field a line, for page n the n-th in turn
--
-- wrk stops in the middle of things: what is in flight then has been charged
-- and is not counted. So this stops by itself. When the window is over, each
-- connection whose answer has come gets the beginning of a request, which no
-- server answers; when all have it, nothing is in flight, and wrk is told to
-- end. The answers that wrk has counted are then all there were.

local ffi = require("ffi")
ffi.cdef [[
	typedef struct { long seconds, nanoseconds; } instant;
	int clock_gettime(int clock, instant *now);
	int getpid(void);
	int kill(int process, int signal);
]]

local CLOCK_MONOTONIC, SIGINT = 1, 2
local FIRST_PAGE = 1000000 -- so that all addresses have the same length
local CLOCK_EVERY = 16     -- requests, as reading the clock costs too

local instant = ffi.new("instant")

local function now()
	ffi.C.clock_gettime(CLOCK_MONOTONIC, instant)
	return tonumber(instant.seconds) + tonumber(instant.nanoseconds) * 1e-9
end

local threads = {}

function setup(thread)
	threads[#threads + 1] = thread
end

local window, limit, connections, head, first, cycle
local tails = {}

function init(args)
	window, limit, connections = tonumber(args[1]), tonumber(args[2]), tonumber(args[3])
	head, first, cycle = "GET " .. args[4], tonumber(args[5]), tonumber(args[6])
	local common = " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\n" .. args[7]
	if args[8] then
		for line in io.lines(args[8]) do
			tails[#tails + 1] = common .. line .. "\r\n\r\n"
		end
	else
		tails[1] = common .. "\r\n"
	end
end

-- Read by done, when all is over. Elapsed is until the window was over, when
-- all connections but one had a request in flight.
sent, parked, elapsed, processor = 0, 0, 0, 0

local verified, stopping = false, false
local count, started = 0, 0

local function park()
	parked = parked + 1
	if parked == connections then
		sent, processor = count, os.clock() - processor
		ffi.C.kill(ffi.C.getpid(), SIGINT)
	end
	return "GET /"
end

function request()
	if stopping then
		return park()
	end
	if count == 0 then
		if not verified then -- wrk asks for one request to look at, and does not send it
			verified = true
			return head .. FIRST_PAGE .. tails[1]
		end
		started, processor = now(), os.clock()
	elseif count >= limit or count % CLOCK_EVERY == 0 and count > connections and now() - started >= window then
		stopping, elapsed = true, now() - started
		return park()
	end
	local page = first + count
	if cycle > 0 then
		page = page % cycle
	end
	count = count + 1
	return head .. (FIRST_PAGE + page) .. tails[page % #tails + 1]
end

function done(summary, latency)
	local thread, errors = threads[1], summary.errors
	io.write(string.format(
		'{"sent":%d,"parked":%d,"elapsed":%.6f,"processor":%.6f,"answers":%d,"refusals":%d,"errors":%d,"p50":%.0f,"p99":%.0f}\n',
		thread:get("sent"), thread:get("parked"), thread:get("elapsed"), thread:get("processor"),
		summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
		latency:percentile(50), latency:percentile(99)))
end
