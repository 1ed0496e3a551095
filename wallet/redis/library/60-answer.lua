-- A question is what one operation asks, beside it what the journal is to say that was
-- asked, and an answer what becomes of it. In both the first bytes are the same for all;
-- package redis has the other end in question.go and answer.go.
local QUESTION, REST = '<Bc16c14I6BI3I7I6Bc8c12', 76
local NO_KEY = string.rep('\0', 14)

local function parse_question(text, asked)
	local op, wallet, key, made, day, generation, amount, span, flags, rule, resource = unpack(QUESTION, text)
	return {
		op = op, key = key, wallet = wallet, made = made, day = day, generation = generation, amount = amount,
		span = span, flags = flags, rule = rule, resource = resource, text = text, asked = asked,
	}
end

local texts -- what does not fit into an answer, which has its place here as its number

local function answer(outcome, flags, balance, amount, left, ends, position, number, generation)
	return pack('<BBI7I7I3I6I7I7I3', outcome, flags or 0, balance or 0, amount or 0, left or 0, ends or 0,
		position or 0, number or 0, generation or 0)
end

-- refuse answers with an outcome that changes nothing: alone, or with the wallet's
-- balance and visits.
local function refuse(outcome, w, left)
	if outcome == NOT_FOUND or outcome == REVOKED or outcome == STALE or outcome == CONFLICT or not w then
		return answer(outcome)
	end
	return answer(outcome, 0, w.available, 0, left)
end

-- judged answers a question by its id, or returns nothing.
local function judged(w, q, memory)
	local outcome, position, class = judge(w, q, memory)
	if outcome then
		return answer(outcome, class, 0, 0, 0, 0, position)
	end
end

-- What the files that follow say to each other. Each is a block, because a script has
-- room for 200 locals.
local ops = {} -- what carries a question out, by what it asks
local send, credit, plain_charge, plain_standing
local ASK_STANDING, ASK_CHARGE = 1, 2
local PARCEL_TRANSFER, PARCEL_VOUCHER, PARCEL_SHARE = 1, 2, 3
