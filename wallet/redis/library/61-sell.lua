-- What a wallet pays for: views and bundles.
do
local ASK_STANDING, ASK_BUY = 1, 3

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

-- plain_charge carries out most charges, and nothing else: the wallet remembers nothing
-- that has to do with this one, and pays the price. It judges as the charge above does,
-- which has all the rest; going through all of it costs half as much again.
function plain_charge(w, text, asked)
	local key, made, _, generation, price, span, ahead, _, resource = unpack('<c14I6BI3I7I6Bc8c12', text, 18)
	local items = w.items
	if now - made > HOUR or made - now > SKEW or ahead == 1 or w.passes ~= '' or w.generation ~= generation or w.frozen
		or price == 0 or price > w.available or accounts[SITE] + price > MOST or #items >= MOST_ITEMS * ITEM
		or w.ids_until > now or w.grants_until > now or w.money_until > now
		or find(items, key, 1, true) or find(items, resource, 1, true) or find(w.money, key, 1, true) then
		return
	end
	accounts[SITE], moved[SITE] = accounts[SITE] + price, true
	w.available = w.available - price
	local position, ends = record(w, KIND_CHARGE, 0, 0, '', asked), now + span
	w.newest = pack('<c14Bc12I6I7', key, 0, resource, ends, position)
	return pack('<BBI7I7I3I6I7I7I3', APPLIED, 0, w.available, price, 0, ends, position, 0, 0)
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
