-- Money between accounts. Between shards it goes through a channel: the shard that
-- gives debits the account and writes what is to be credited into an outbox, in one
-- step; the shard that receives credits what has the next number, in another. Whoever
-- sees an outbox may bring what is in it, any number of times.
do
local ASK_TRANSFER, ASK_SHARE, ASK_ARRIVE, ASK_RESUME = 9, 10, 11, 23
local BETWEEN, TO_NAME, FROM_NAME, TO_SHARD = 0, 1, 2, 3

-- send writes a parcel into the outbox for a shard.
function send(to, outbox, parcel)
	local counter = '>' .. to
	local n = account(counter) + 1
	accounts[counter], moved[counter] = n, true
	write(outbox, number(n), parcel)
end

function credit(w, amount)
	w.available = w.available + amount
	touch(w)
end

-- between moves money from one wallet of the shard to another.
local function between(q, w, other, what)
	local outcome = may_have(other, q.amount)
	if outcome ~= APPLIED then
		return refuse(outcome, w)
	end
	w.available = w.available - q.amount
	credit(other, q.amount)
	local position = record(w, KIND_TRANSFER, 0, HAS_OTHER, pack('<I7I7', other.available, other.last), what)
	other.last = position
	remember_money(w, q, position)
	return answer(APPLIED, 0, w.available, q.amount, 0, 0, position)
end

-- receive moves money from an account with a name to a wallet.
local function receive(q, w, name, funding, what)
	if not w then
		return answer(NOT_FOUND)
	end
	local outcome = may_give(name, funding, q.amount)
	if outcome == APPLIED then
		outcome = may_have(w, q.amount)
	end
	if outcome ~= APPLIED then
		return refuse(outcome, w)
	end
	add(name, -q.amount)
	credit(w, q.amount)
	local position = record(w, KIND_TRANSFER, 0, 0, '', what)
	remember_money(w, q, position)
	return answer(APPLIED, 0, w.available, q.amount, 0, 0, position)
end

ops[ASK_TRANSFER] = function(q, w)
	local done = judged(w, q, WEEK)
	if done then return done end
	local way, other_id, outbox, to, funding, length, at = unpack('<Bc16BI2BB', q.text, REST)
	local name, what = '$' .. sub(q.text, at, at + length - 1), q.asked
	if way == FROM_NAME then
		return receive(q, w, name, funding == 1, what)
	end
	local other = way == BETWEEN and wallet(other_id)
	if other == false and way == BETWEEN then
		return answer(NOT_FOUND)
	end
	local outcome = credential(w, q.generation)
	if outcome == APPLIED and q.amount > w.available then
		outcome = INSUFFICIENT
	end
	if outcome == APPLIED and way == TO_NAME then
		outcome = may_take(name, q.amount)
	elseif outcome == APPLIED and way == TO_SHARD and q.flags == 1 then
		outcome = LIMIT -- the wallet that receives is full
	end
	if outcome ~= APPLIED then
		return refuse(outcome, w)
	end
	if way == BETWEEN then
		return between(q, w, other, what)
	end
	w.available = w.available - q.amount
	if way == TO_NAME then
		add(name, q.amount)
	else
		add(TRANSIT, q.amount)
		send(to, outbox, pack('<BI7c16', PARCEL_TRANSFER, q.amount, other_id) .. what)
	end
	local position = record(w, KIND_TRANSFER, 0, 0, '', what)
	remember_money(w, q, position)
	return answer(APPLIED, 0, w.available, q.amount, 0, 0, position, way == TO_SHARD and account('>' .. to))
end

-- Part of a named account's money goes to another shard, where it is wanted: at most
-- what is asked for.
ops[ASK_SHARE] = function(q)
	local outbox, from, to, length, at = unpack('<BI2I2B', q.text, REST)
	local name = sub(q.text, at, at + length - 1)
	local amount = min(q.amount, account('$' .. name))
	if amount <= 0 then
		return answer(INSUFFICIENT)
	end
	add('$' .. name, -amount)
	add(TRANSIT, amount)
	local what = pack('<BI7I2I2I7B', KIND_SHARE, amount, from, to, account('>' .. to) + 1, length) .. name
	send(to, outbox, pack('<BI7c16', PARCEL_SHARE, amount, NOBODY) .. what)
	record(nil, KIND_SHARE, 0, 0, '', what)
	return answer(APPLIED, 0, 0, amount, 0, 0, 0, account('>' .. to))
end

-- arrive_wallet credits a wallet with a parcel. One that the wallet has had already is
-- brought again where the shard that sent it has lost its memory.
local function arrive_wallet(q, w, type, what)
	if not w then
		return GAP -- a wallet is never deleted: the shard has lost its memory
	end
	local field = 'in' .. w.id .. q.key
	if read(q.day, field) then
		return APPLIED
	end
	local outcome = may_have(w, q.amount)
	if outcome ~= APPLIED then
		return outcome
	end
	local kind, has_fields, fields = KIND_TRANSFER, 0, ''
	if type == PARCEL_VOUCHER then
		kind, has_fields, fields = KIND_REDEEM, HAS_AMOUNT, pack('<I7', q.amount)
		add(VOUCHERS, -q.amount)
	else
		add(TRANSIT, -q.amount)
	end
	credit(w, q.amount)
	local position = record(w, kind, FLAG_ARRIVED, has_fields, fields, what)
	write_of_day(q, field, '')
	if type == PARCEL_VOUCHER then
		remember_money(w, q, position)
	end
	return APPLIED
end

ops[ASK_ARRIVE] = function(q, w)
	local from, n, type = unpack('<I2I7B', q.text, REST)
	local counter = '<' .. from
	local last = account(counter)
	if n <= last then
		return answer(APPLIED, 0, 0, 0, 0, 0, 0, last)
	end
	if n > last + 1 then
		return answer(GAP, 0, 0, 0, 0, 0, 0, last)
	end
	local what, outcome = q.asked, APPLIED
	if type == PARCEL_SHARE then
		local _, amount, _, _, _, name_length, name_at = unpack('<BI7I2I2I7B', what)
		add('$' .. sub(what, name_at, name_at + name_length - 1), amount)
		add(TRANSIT, -amount)
		record(nil, KIND_SHARE, FLAG_ARRIVED, 0, '', what)
	else
		outcome = arrive_wallet(q, w, type, what)
	end
	if outcome == APPLIED then
		accounts[counter], moved[counter] = n, true
		last = n
	end
	return answer(outcome, 0, 0, 0, 0, 0, 0, last)
end

-- resume raises the number that was last sent to a shard, where this one has lost its
-- memory of what it sent: a number that is used again would not arrive.
ops[ASK_RESUME] = function(q)
	local to, n = unpack('<I2I7', q.text, REST)
	local counter = '>' .. to
	if n > account(counter) then
		accounts[counter], moved[counter] = n, true
	end
	return answer(APPLIED)
end
end
