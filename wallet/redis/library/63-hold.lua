-- Money set aside. A hold is a field of HOLDS under its wallet and id, and a member of
-- DUE at its end, and again an hour later, when it is forgotten.
do
local ASK_HOLD, ASK_CAPTURE, ASK_RELEASE = 6, 7, 8

ops[ASK_HOLD] = function(q, w)
	local done = judged(w, q, HOUR)
	if done then return done end
	local outcome = credential(w, q.generation)
	if outcome == APPLIED and q.amount > w.available then
		outcome = INSUFFICIENT
	end
	if outcome ~= APPLIED then
		return refuse(outcome, w)
	end
	local field, ends = w.id .. sub(q.asked, 2, 17), now + q.span
	w.available, w.held = w.available - q.amount, w.held + q.amount
	write(HOLDS, field, pack('<I7I6B', q.amount, ends, 0))
	schedule(ends, 'h' .. field)
	local position = record(w, KIND_HOLD, 0, HAS_UNTIL, pack('<I6', ends), q.asked)
	remember(w, q.key, position)
	return answer(APPLIED, 0, w.available, q.amount, 0, ends, position)
end

-- unresolved returns a wallet's hold that can be captured or released, or why there
-- is none.
local function unresolved(w, field)
	local text = w and read(HOLDS, field)
	if not text then
		return NOT_FOUND
	end
	local amount, ends, ended = unpack('<I7I6B', text)
	if now - ends > HOUR then
		return NOT_FOUND
	end
	if ended == 1 then
		return SPENT
	end
	return APPLIED, amount, ends
end

-- grant_capture adds a capture to a grant that is there and open, if one is, and returns
-- until when the resource is paid for.
local function grant_capture(w, resource, ends)
	local flags, there, paid, at = grant(w, resource)
	if not flags or has(flags, IS_CLOSED) then
		supersede(w, resource)
		return ends, false
	end
	ends = max(ends, there)
	if not has(flags, IS_CAPTURED) then flags = flags + IS_CAPTURED end
	change_grant(w, resource, at, flags, ends, paid)
	local ahead = has(flags, IS_AHEAD) and read(AHEAD, w.id .. resource)
	if ahead then -- it lasts as long as its grant
		write(AHEAD, w.id .. resource, sub(ahead, 1, 7) .. pack('<I6', ends) .. sub(ahead, 14))
		schedule(ends, 'u' .. w.id .. resource)
	end
	return ends, true
end

ops[ASK_CAPTURE] = function(q, w)
	local done = judged(w, q, HOUR)
	if done then return done end
	local field = q.wallet .. sub(q.text, REST, REST + 15)
	local outcome, held, ends = unresolved(w, field)
	if outcome == APPLIED then
		outcome = q.amount > held and INSUFFICIENT or may_take(SITE, q.amount)
	end
	if outcome ~= APPLIED then
		return refuse(outcome, w)
	end
	resolve(w, field, held, ends)
	add(SITE, q.amount)
	w.available = w.available + held - q.amount
	local paid_until, merged = 0, false
	if q.flags == 1 then -- it names a resource
		paid_until, merged = grant_capture(w, q.resource, now + q.span)
	end
	local position = record(w, KIND_CAPTURE, 0, HAS_HOLD + HAS_UNTIL, pack('<I6I7', paid_until, held), q.asked)
	if q.flags == 1 and not merged then
		remember(w, q.key, position, IS_CAPTURED + IS_ALONE, q.resource, paid_until)
	else
		remember(w, q.key, position)
	end
	return answer(APPLIED, 0, w.available, q.amount, 0, paid_until, position)
end

ops[ASK_RELEASE] = function(q, w)
	local done = judged(w, q, HOUR)
	if done then return done end
	local field = q.wallet .. sub(q.text, REST, REST + 15)
	local outcome, held, ends = unresolved(w, field)
	if outcome ~= APPLIED then
		return refuse(outcome, w)
	end
	resolve(w, field, held, ends)
	w.available = w.available + held
	local position = record(w, KIND_RELEASE, 0, HAS_HOLD, pack('<I7', held), q.asked)
	remember(w, q.key, position)
	return answer(APPLIED, 0, w.available, held, 0, 0, position)
end
end
