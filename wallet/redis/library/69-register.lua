-- Registers, all in the first shard: by name the id of the put that wrote it 16, the time
-- 6, and the value; and their names in order. What is remembered of an id is the value
-- that stands.
do
local ASK_PUT, ASK_REGISTERS = 26, 27
local VALUE_AT = 23

ops[ASK_PUT] = function(q)
	if now - q.made > HOUR then
		return answer(STALE)
	end
	local registers, names, id, before, length, at = unpack('<BBc16c16B', q.text, REST)
	local name, value = sub(q.text, at, at + length - 1), sub(q.text, at + length)
	local text = read(registers, name)
	local by = text and sub(text, 1, 16) or NOBODY
	if text and by == id then
		if sub(text, VALUE_AT) ~= value then
			return answer(CONFLICT)
		end
		return answer(REPLAYED, 0, 0, 0, 0, (unpack('<I6', text, 17)))
	end
	if q.made - now > SKEW then
		return answer(STALE)
	end
	if by ~= before then
		return answer(text and CONFLICT or NOT_FOUND)
	end
	if value == '' then
		write(registers, name, false)
		later[#later + 1] = { 'ZREM', KEYS[names], name }
	else
		write(registers, name, id .. pack('<I6', now) .. value)
		if not text then
			later[#later + 1] = { 'ZADD', KEYS[names], 0, name }
		end
	end
	record(nil, KIND_PUT, 0, 0, '', q.asked)
	return answer(APPLIED)
end

-- Some registers in the order of their names, from one bound to another.
ops[ASK_REGISTERS] = function(q)
	local registers, names, length, at = unpack('<BBB', q.text, REST)
	local from, to = sub(q.text, at, at + length - 1), sub(q.text, at + length)
	local found = call('ZRANGEBYLEX', KEYS[names], from, to, 'LIMIT', 0, number(q.amount))
	local first = #texts + 1
	for i = 1, #found do
		local text = read(registers, found[i])
		if text then
			texts[#texts + 1] = pack('<B', #found[i]) .. found[i] .. text
		end
	end
	return answer(APPLIED, 0, 0, 0, #texts - first + 1, 0, 0, first)
end
end
