-- What is due: holds that end, and what is forgotten. It is done before anything else, so
-- that every answer shows it.

-- resolve ends a hold.
local function resolve(w, field, amount, ends)
	write(HOLDS, field, pack('<I7I6B', amount, ends, 1))
	w.held = w.held - amount
end

-- expire gives a hold back whose end has come, as of that end.
local function expire(field)
	local text = read(HOLDS, field)
	if not text then return end
	local amount, ends, ended = unpack('<I7I6B', text)
	if ended == 0 then
		local w = wallet(sub(field, 1, 16))
		resolve(w, field, amount, ends)
		w.available = w.available + amount
		record(w, KIND_RELEASE, FLAG_EXPIRED, HAS_HOLD + HAS_TIME, pack('<I7I6', amount, ends),
			string.char(KIND_RELEASE) .. sub(field, 17, 32) .. w.id)
	end
	schedule(ends + HOUR + 1, 'f' .. field)
end

-- MOST_DUE is how much a flight brings to its end before it carries anything out.
local MOST_DUE = 500

-- bring_to_end does what is due, and reports whether that was all.
local function bring_to_end()
	local due = call('ZRANGEBYSCORE', KEYS[DUE], '-inf', now, 'LIMIT', 0, MOST_DUE)
	for i = 1, #due do
		local what, field = sub(due[i], 1, 1), sub(due[i], 2)
		dropped[#dropped + 1] = due[i]
		if what == 'h' then
			expire(field)
		elseif what == 'f' then
			write(HOLDS, field, false)
		else
			write(AHEAD, field, false)
		end
	end
	return #due < MOST_DUE
end
