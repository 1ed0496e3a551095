-- The books of one shard while a flight is carried out. Everything is read and
-- decided first and written last, in 90-flight.lua: a server that refuses the
-- first write has then changed nothing, and one write has been every write.
--
-- The functions of these files are made once and serve one flight after the other. What
-- belongs to a flight is begun anew in 90-flight.lua.
local call, pack, unpack, unpack_list = redis.call, struct.pack, struct.unpack, unpack
local sub, find, byte = string.sub, string.find, string.byte
local floor, max, min = math.floor, math.max, math.min

local WALLETS, META, JOURNAL, HOLDS, DUE, GRANTS, AHEAD, RULES = 1, 2, 3, 4, 5, 6, 7, 8
local FIRST_HOUR_KEY, HOUR_KEYS = 9, 4

local SECOND, HOUR, WEEK, SKEW = 1000, 3600000, 604800000, 300000
local MOST = 9007199254740991 -- wallet.MaxAmount: 2^53-1
local MOST_VISITS = 1000000

-- wallet.Outcome, and what only the engine hears.
local APPLIED, REPLAYED, GRANTED, INSUFFICIENT, CONFLICT, FROZEN, REVOKED = 1, 2, 3, 4, 5, 6, 7
local NOT_FOUND, SPENT, VOID, STALE, LIMIT = 8, 9, 10, 11, 12
local KNOWN, SHORT, AGAIN, GAP = 20, 21, 22, 23

local KEYS
local sequence -- of the journal's entry that this flight writes
local now

-- What is read of a hash is kept, and what is written to one stands before it,
-- until the end. false is a field that is not there.
local cells, changed

local function read(key, field)
	local hash = cells[key]
	if not hash then
		hash = {}
		cells[key] = hash
	end
	local value = hash[field]
	if value == nil then
		value = call('HGET', KEYS[key], field)
		hash[field] = value
	end
	return value
end

local function write(key, field, value)
	local hash, fields = cells[key], changed[key]
	if not hash then
		hash = {}
		cells[key] = hash
	end
	if not fields then
		fields = {}
		changed[key] = fields
	end
	hash[field], fields[field] = value, true
end

-- The accounts that have a name. A shard has its own part of each.
local accounts, moved

local function account(name)
	local balance = accounts[name]
	if not balance then
		balance = tonumber(call('HGET', KEYS[META], name)) or 0
		accounts[name] = balance
	end
	return balance
end

local function add(name, amount)
	accounts[name] = account(name) + amount
	moved[name] = true
end

local SITE, VOUCHERS, TRANSIT = '$site', '$funding:voucher', '$~'

-- may_give and may_take are the limits of an account with a name.
local function may_give(name, funding, amount)
	local left = account(name) - amount
	if left < 0 and not funding then
		return SHORT
	end
	if left < -MOST then
		return LIMIT
	end
	return APPLIED
end

local function may_take(name, amount)
	if account(name) + amount > MOST then
		return LIMIT
	end
	return APPLIED
end

-- over reports whether an end has come; no end, zero, never does.
local function over(ends)
	return ends ~= 0 and ends <= now
end

-- Lists and times that are written at the end: members of DUE by their time, and
-- commands for lists and other sets.
local scheduled, dropped, later

local function schedule(time, member)
	scheduled[#scheduled + 1] = time
	scheduled[#scheduled + 1] = member
end
