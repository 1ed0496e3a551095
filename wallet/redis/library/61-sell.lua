-- What a wallet pays for: views and bundles.
do
local ASK_BUY = 3

ops[ASK_STANDING] = function(q, w)
	if w and q.generation == 0 then
		q.generation = w.generation
	end
	local outcome = credential(w, q.generation)
	if outcome == NOT_FOUND or outcome == REVOKED then
		return answer(outcome)
	end
	local left, left_until = visits(w, q.rule)
	local flags, ends = grant(w, q.resource)
	local ahead = 0
	if not flags or has(flags, IS_CLOSED) then
		ends = 0
	elseif has(flags, IS_AHEAD) and not has(flags, IS_SETTLED) then
		ahead = 1
	end
	return answer(outcome, ahead, w.available, 0, left, left_until, 0, ends)
end

-- grant_charge remembers a charge and its grant, and of one made ahead what it took:
-- Settle may end it by its resource alone.
local function grant_charge(q, w, position, price, kind)
	local flags, ends = 0, now + q.span
	if q.flags == 1 then
		flags = IS_AHEAD
		local field = w.id .. q.resource
		local length = byte(q.text, REST)
		write(AHEAD, field, pack('<I7I6c14c8BI7', position, ends, q.key, q.rule, kind, price) .. sub(q.text, REST + 1, REST + length))
		schedule(ends, 'u' .. field)
	end
	supersede(w, q.resource)
	remember(w, q.key, position, flags, q.resource, ends)
	return ends
end

ops[ASK_CHARGE] = function(q, w)
	local done = judged(w, q, HOUR)
	if done then return done end
	local outcome = credential(w, q.generation)
	if outcome ~= APPLIED then
		return refuse(outcome, w, w and visits(w, q.rule))
	end
	local left, left_until = visits(w, q.rule)
	local flags, ends = grant(w, q.resource)
	if flags and not has(flags, IS_CLOSED) then
		return answer(GRANTED, 0, w.available, 0, left, ends)
	end
	if left > 0 then
		left = left - 1
		set_pass(w, q.rule, left, left_until)
		local position = record(w, KIND_VISIT, 0, HAS_VISITS, pack('<I3', left), q.asked)
		ends = grant_charge(q, w, position, 0, KIND_VISIT)
		return answer(APPLIED, FLAG_VISIT, w.available, 0, left, ends, position)
	end
	local price = q.amount
	if price == 0 or price > w.available then
		return answer(INSUFFICIENT, 0, w.available)
	end
	local site = accounts[SITE] + price
	if site > MOST then
		return answer(LIMIT, 0, w.available)
	end
	accounts[SITE], moved[SITE] = site, true
	w.available = w.available - price
	local position = record(w, KIND_CHARGE, 0, 0, '', q.asked)
	ends = grant_charge(q, w, position, price, KIND_CHARGE)
	return answer(APPLIED, 0, w.available, price, 0, ends, position)
end

-- What follows carries out what is asked most, and nothing else: of a wallet that is
-- neither frozen nor holds, keeps or has overflowed anything, and remembers nothing that
-- has to do with the question. It answers as the above does, which has all the rest, or
-- returns nothing. To look into a wallet and write it anew costs twice as much.
local AVAILABLE_TO_PASSES = '<I7I3BxxxxxxI7xxxxxxxxxxxxxxxxI2'
local CREDENTIAL_AT, LAST_AT, RECOVERY_AT, PIECES_AT = 8, 18, 25, 44
local MOST_PLAIN = PIECES_AT + MOST_ITEMS * ITEM -- with ids of money in it, it is full a little early

function plain_charge(id, w, text, asked)
	local key, made, generation, price, span, ahead, resource = unpack('<c14I6xI3I7I6Bxxxxxxxxc12', text, 18)
	local available, current, flags, last, passes = unpack(AVAILABLE_TO_PASSES, w)
	if now - made > HOUR or made - now > SKEW or ahead == 1 or flags ~= 0 or passes ~= 0 or current ~= generation
		or price == 0 or price > available or accounts[SITE] + price > MOST or #w >= MOST_PLAIN
		or find(w, key, PIECES_AT, true) or find(w, resource, PIECES_AT, true) then
		return
	end
	accounts[SITE], moved[SITE] = accounts[SITE] + price, true
	available = available - price
	local position, ends = note(available, last, KIND_CHARGE, 0, 0, '', asked), now + span
	renew(id, pack('<I7c10I7c0c14Bc12I6I7', available, sub(w, CREDENTIAL_AT, LAST_AT - 1), position, sub(w, RECOVERY_AT),
		key, 0, resource, ends, position))
	return pack('<BBI7I7I3I6I7I7I3', APPLIED, 0, available, price, 0, ends, position, 0, 0)
end

function plain_standing(w, text)
	local generation, resource = unpack('<I3xxxxxxxxxxxxxxxxxxxxxxc12', text, 39)
	local available, current, flags, _, passes = unpack(AVAILABLE_TO_PASSES, w)
	if flags ~= 0 or passes ~= 0 or current ~= generation or find(w, resource, PIECES_AT, true) then
		return
	end
	return answer(APPLIED, 0, available)
end

ops[ASK_BUY] = function(q, w)
	local done = judged(w, q, HOUR)
	if done then return done end
	local left, left_until = 0, 0
	if w then
		left, left_until = visits(w, q.rule)
	end
	local outcome = credential(w, q.generation)
	if outcome ~= APPLIED then
		return refuse(outcome, w, left)
	end
	local bought, length, at = unpack('<I4B', q.text, REST)
	local name = sub(q.text, at, at + length - 1)
	local total, ends = left + bought, 0
	if q.span > 0 then
		ends = now + q.span
	end
	if left > 0 then
		ends = (ends == 0 or left_until == 0) and 0 or max(ends, left_until)
	end
	if q.amount > w.available then
		outcome = INSUFFICIENT
	else
		outcome = may_take(SITE, q.amount)
	end
	if outcome == APPLIED and total > MOST_VISITS then
		outcome = LIMIT
	end
	if outcome ~= APPLIED then
		return refuse(outcome, w, left)
	end
	add(SITE, q.amount)
	w.available = w.available - q.amount
	set_pass(w, q.rule, total, ends)
	write(RULES, q.rule, name)
	local position = record(w, KIND_BUY, 0, HAS_VISITS + HAS_UNTIL, pack('<I3I6', total, ends), q.asked)
	remember(w, q.key, position)
	return answer(APPLIED, 0, w.available, q.amount, total, ends, position)
end
end
