-- A flight: what is due, then each question in turn, then all that was written.
local FIRST_QUESTION = 5
local AT_ONCE = 1000 -- arguments of one command; Lua's stack ends at some thousands

local function each_part(list, command, key)
	for from = 1, #list, AT_ONCE do
		call(command, key, unpack_list(list, from, min(from + AT_ONCE - 1, #list)))
	end
end

-- begin opens the books, and reports whether they are those of the caller's ledger:
-- servers that come back empty, or with other books, must not take money.
local function begin(keys, arguments)
	KEYS = keys
	local meta = call('HMGET', KEYS[META], 'seq', 'time', SITE, 'ledger')
	if meta[4] ~= arguments[4] then
		return false
	end
	sequence = (tonumber(meta[1]) or 0) + 1
	now = tonumber(arguments[1])
	if now == 0 then
		local t = call('TIME')
		now = t[1] * 1000 + floor(t[2] / 1000)
	end
	now = max(now, tonumber(meta[2]) or 0) -- a replica that takes over may have a slower clock
	first_hour = tonumber(arguments[2])
	cells, changed, lasts = {}, {}, {}
	accounts, moved = { [SITE] = tonumber(meta[3]) or 0 }, {}
	scheduled, dropped, later = {}, {}, {}
	wallets, touched, renewed, renewals = {}, {}, {}, {}
	count, entry = 0, {}
	texts = {}
	return true
end

-- fetch reads the wallets that the questions are about, and returns the id of each
-- question's.
local function fetch(arguments)
	local ids, missing, n = {}, {}, 0
	for i = FIRST_QUESTION, #arguments, 2 do
		local id = sub(arguments[i], 2, 17)
		n = n + 1
		ids[n] = id
		if wallets[id] == nil then
			wallets[id] = false
			missing[#missing + 1] = id
		end
	end
	if #missing > 0 then
		local found = call('HMGET', KEYS[WALLETS], unpack_list(missing))
		for i = 1, #missing do
			wallets[missing[i]] = found[i]
		end
	end
	return ids
end

-- carry_out answers the questions.
local function carry_out(arguments)
	local ids, answers = fetch(arguments), {}
	for n = 1, #ids do
		local text, asked = arguments[2 * n + FIRST_QUESTION - 2], arguments[2 * n + FIRST_QUESTION - 1]
		local id, op, done = ids[n], byte(text), nil
		local w = wallets[id]
		if type(w) == 'string' then
			if op == ASK_CHARGE then
				done = plain_charge(id, w, text, asked)
			elseif op == ASK_STANDING then
				done = plain_standing(w, text)
			end
		end
		answers[n] = done or ops[op](parse_question(text, asked), wallet(id))
	end
	return table.concat(answers)
end

-- write_down writes all that has changed, with a tag that tells this flight's entry from
-- that of another history of the shard.
local function write_down(tag)
	if count > 0 then
		entry[1] = pack('<BI6', 1, now) .. entry[1]
		call('XADD', KEYS[JOURNAL], number(sequence) .. '-' .. tag, 'r', table.concat(entry))
	end
	local fields = {}
	for name in pairs(moved) do
		fields[#fields + 1] = name
		fields[#fields + 1] = number(accounts[name])
	end
	if count > 0 then
		fields[#fields + 1] = 'seq'
		fields[#fields + 1] = number(sequence)
		fields[#fields + 1] = 'time'
		fields[#fields + 1] = number(now)
	end
	each_part(fields, 'HSET', KEYS[META])
	fields = {}
	for i = 1, #touched do
		fields[2 * i - 1] = touched[i].id
		fields[2 * i] = render(touched[i])
	end
	for i = 1, #renewals do
		local id = renewals[i]
		if type(wallets[id]) == 'string' then
			fields[#fields + 1] = id
			fields[#fields + 1] = wallets[id]
		end
	end
	each_part(fields, 'HSET', KEYS[WALLETS])
	for key, names in pairs(changed) do
		local set, gone = {}, {}
		for name in pairs(names) do
			local value = cells[key][name]
			if value then
				set[#set + 1] = name
				set[#set + 1] = value
			else
				gone[#gone + 1] = name
			end
		end
		each_part(set, 'HSET', KEYS[key])
		each_part(gone, 'HDEL', KEYS[key])
		if lasts[key] and #set > 0 then
			call('PEXPIRE', KEYS[key], number(max(lasts[key] - now, SECOND)))
		end
	end
	for i = 1, #later do
		call(unpack_list(later[i]))
	end
	each_part(dropped, 'ZREM', KEYS[DUE])
	each_part(scheduled, 'ZADD', KEYS[DUE])
end

-- fly carries a flight out. One of those who only look is answered as if it had written,
-- by a server that takes no writes at the moment.
local function fly(keys, arguments, looks)
	if not begin(keys, arguments) then
		return redis.error_reply('GONE the ledger is not on this server')
	end
	local all, answers = bring_to_end(), ''
	if all then
		answers = carry_out(arguments)
	end
	local written = 0
	if not looks then
		write_down(arguments[3])
		written = count > 0 and 1 or 0
	end
	table.insert(texts, 1, pack('<BI6I7', (all and 1 or 0) + 2 * written, now, sequence - 1 + written))
	table.insert(texts, 2, answers)
	return texts
end
