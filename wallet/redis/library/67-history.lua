-- The records of a wallet, the newest first, as long as the journal is here.
do
local ASK_HISTORY = 22

-- record_at returns the record at a position, and the time of its entry.
local function record_at(position)
	local n = number(floor(position / PLACES))
	local found = call('XRANGE', KEYS[JOURNAL], n, n)
	if not found[1] then return end
	local entry = found[1][2][2]
	local _, time, at = unpack('<BI6', entry)
	for _ = 1, position % PLACES do
		at = at + 2 + unpack('<I2', entry, at)
	end
	return sub(entry, at, at + 1 + unpack('<I2', entry, at)), time
end

-- before returns the position of the record before one, of a wallet.
local function before(text, id)
	local _, kind, flags, fields, at = unpack('<I2BBB', text)
	local wide, position = has(flags, FLAG_WIDE), nil
	_, position, at = unpack(wide and '<I7I7' or '<I4I5', text, at)
	if kind == KIND_TRANSFER and fields == HAS_OTHER then
		local _, other, asked = unpack('<I7I7', text, at)
		if sub(text, asked + 17, asked + 32) ~= id then
			position = other
		end
	end
	return position
end

ops[ASK_HISTORY] = function(q)
	local position, first = q.amount, #texts + 1
	for _ = 1, q.flags do
		local text, time = record_at(position)
		if not text then break end
		texts[#texts + 1] = pack('<I7I6', position, time) .. text
		position = before(text, q.wallet)
		if position == 0 then break end
	end
	return answer(APPLIED, 0, 0, 0, #texts - first + 1, 0, position, first)
end
-- Some wallets as they were before this flight, for an audit: number is that of the
-- journal's entry before it, and amount where the next ones are.
local ASK_SCAN = 24

ops[ASK_SCAN] = function(q)
	local found = call('HSCAN', KEYS[WALLETS], number(q.amount), 'COUNT', q.generation)
	local first = #texts + 1
	for i = 1, #found[2], 2 do
		texts[#texts + 1] = found[2][i] .. found[2][i + 1]
	end
	return answer(APPLIED, 0, 0, tonumber(found[1]), #texts - first + 1, 0, first, sequence - 1)
end
end
