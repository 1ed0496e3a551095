-- How a charge ends. One that is named by its id is looked up first (ASK_FIND): what
-- it took stands in the journal alone, where the caller reads it, and asks again with
-- what it has read.
do
local ASK_FIND, ASK_SETTLE = 4, 5

ops[ASK_FIND] = function(q, w)
	local key, made = unpack('<c14I6', q.text, REST)
	local _, position
	if w then
		_, position = charge_id(w, key, made)
	end
	return answer(APPLIED, 0, 0, 0, 0, 0, position)
end

-- charge_to_settle returns the charge that a settlement ends, or nothing.
local function charge_to_settle(q, w)
	local by_id, key, made, position, kind, price, length, at = unpack('<Bc14I6I7BI7B', q.text, REST)
	local c = { rule_name = sub(q.text, at, at + length - 1), rule = q.rule }
	local flags, ends, paid, place_ = grant(w, q.resource)
	if by_id == 1 then
		local settled_flags, there = charge_id(w, key, made)
		if position == 0 then
			return -- what the caller has read is no charge of this wallet and resource
		end
		if there ~= position then
			return c, AGAIN
		end
		c.key, c.made, c.kind, c.price, c.position = key, made, kind, price, position
		c.own = flags and paid == position and not has(flags, IS_ALONE)
		c.settled = has(settled_flags, IS_SETTLED) or c.own and has(flags, IS_SETTLED)
	else
		local text = flags and has(flags, IS_AHEAD) and read(AHEAD, w.id .. q.resource)
		if not text then return end
		local _
		c.position, _, c.key, c.rule, c.kind, c.price, at = unpack('<I7I6c14c8BI7', text)
		if c.position ~= paid then return end
		c.made = unpack('>I6', c.key)
		c.rule_name, c.own, c.settled = sub(text, at), true, has(flags, IS_SETTLED)
	end
	c.flags, c.ends, c.place = flags, ends, place_
	return c
end

-- give_back gives back what a charge took, or says why it cannot.
local function give_back(w, c)
	if c.kind == KIND_VISIT then
		local left, ends = pass(w, c.rule)
		if over(ends) then
			return APPLIED, FLAG_VISIT -- the visit is lost with its pass
		end
		if left == MOST_VISITS then
			return LIMIT
		end
		set_pass(w, c.rule, left + 1, ends)
		return APPLIED, FLAG_VISIT + FLAG_RESTORED
	end
	local outcome = may_give(SITE, false, c.price)
	if outcome == APPLIED then
		outcome = may_have(w, c.price)
	end
	if outcome ~= APPLIED then
		return outcome
	end
	add(SITE, -c.price)
	w.available = w.available + c.price
	return APPLIED, 0
end

ops[ASK_SETTLE] = function(q, w)
	local done = judged(w, q, HOUR)
	if done then return done end
	local c, wrong
	if w then
		c, wrong = charge_to_settle(q, w)
	end
	if not c then
		return answer(NOT_FOUND)
	end
	if wrong then
		return answer(wrong)
	end
	if c.settled then
		return refuse(SPENT, w, (visits(w, c.rule)))
	end
	local kind, outcome, flags, amount = KIND_DELIVER, APPLIED, 0, 0
	if q.flags == 0 then
		kind = KIND_REFUND
		outcome, flags = give_back(w, c)
		if outcome ~= APPLIED then -- the caller hears how much the site is short of
			return answer(outcome, 0, w.available, c.price, (visits(w, c.rule)))
		end
		amount = c.price
	end
	settled(w, c.key, c.made)
	if c.own then
		local with = c.flags + IS_SETTLED
		if kind == KIND_REFUND and not has(with, IS_CAPTURED) then
			with = with + IS_CLOSED
		end
		change_grant(w, q.resource, c.place, with, c.ends, c.position)
	end
	local left, ends = visits(w, c.rule), readable(w, q.resource)
	local position = record(w, kind, flags, HAS_AMOUNT + HAS_VISITS + HAS_UNTIL + HAS_RULE,
		pack('<I7I3I6B', amount, left, ends, #c.rule_name) .. c.rule_name, q.asked)
	remember(w, q.key, position)
	return answer(APPLIED, flags, w.available, amount, left, ends, position)
end
end
