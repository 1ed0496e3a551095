-- Vouchers, all in the first shard: by digest their serial number, and by serial
-- number value 7, state 1, issued 6, expires 6, redeemed 6, wallet 16, and the id of
-- the operation that redeemed it 14; then the note.
do
local ASK_ISSUE, ASK_REDEEM, ASK_VOID = 19, 20, 21
local VOUCHER = '<I7BI6I6I6c16c14'
local IS_ISSUED, IS_REDEEMED, IS_VOID = 1, 2, 3
local SERIAL = '#vouchers'

-- judged_alone is judged for an operation that is about no wallet: all there is to
-- know of its id is in the hash of its day.
local function judged_alone(q)
	if now - q.made > WEEK then
		return answer(STALE)
	end
	local text = read(q.day, NOBODY .. q.key)
	if text then
		return answer(KNOWN, OF_MONEY, 0, 0, 0, 0, (unpack('<I7', text)))
	end
	if q.made - now > SKEW then
		return answer(STALE)
	end
end

local function remember_alone(q, position)
	write_of_day(q, NOBODY .. q.key, pack('<I7I6', position, now) .. record_again(position))
end

ops[ASK_ISSUE] = function(q)
	local done = judged_alone(q)
	if done then return done end
	local codes, serials, count, length, at = unpack('<BBI2I2', q.text, REST)
	local note, digests = sub(q.text, at, at + length - 1), {}
	at = at + length
	for i = 1, count do
		digests[i] = sub(q.text, at, at + 15)
		at = at + 16
		if read(codes, digests[i]) then
			return answer(CONFLICT)
		end
	end
	local first = account(SERIAL) + 1
	for i = 1, count do
		local serial = number(first + i - 1)
		write(codes, digests[i], serial)
		write(serials, serial, pack(VOUCHER, q.amount, IS_ISSUED, now, q.span, 0, NOBODY, NO_KEY) .. note)
	end
	accounts[SERIAL], moved[SERIAL] = first + count - 1, true
	local position = record(nil, KIND_ISSUE, 0, HAS_NUMBER, pack('<I7', first), q.asked)
	remember_alone(q, position)
	return answer(APPLIED, 0, 0, 0, 0, 0, position, first)
end

-- refused says why a voucher is no longer good, or nothing.
local function refused(state, expires)
	if state == IS_REDEEMED then return SPENT end
	if state == IS_VOID or over(expires) then return VOID end
end

-- A voucher is redeemed into a wallet of this shard, or sent to that of another.
ops[ASK_REDEEM] = function(q, w)
	local codes, serials, outbox, to, digest = unpack('<BBBI2c16', q.text, REST)
	local here = outbox == 0
	local done = here and judged(w, q, WEEK)
	if done then return done end
	local serial = read(codes, digest)
	if not serial or here and not w then
		return answer(NOT_FOUND)
	end
	local text = read(serials, serial)
	local value, state, issued, expires, _, owner, by, note_at = unpack(VOUCHER, text)
	if not here and state == IS_REDEEMED and owner == q.wallet and by == q.key then
		return answer(APPLIED, 0, 0, value, 0, 0, 0, account('>' .. to)) -- it is on its way
	end
	local outcome = refused(state, expires)
	if not outcome and here then
		outcome = may_give(VOUCHERS, true, value)
		if outcome == APPLIED then outcome = may_have(w, value) end
		if outcome == APPLIED then outcome = nil end
	end
	if not outcome and not here and q.amount ~= value then
		outcome = AGAIN
	end
	if outcome then
		return answer(outcome, 0, here and w.available, value)
	end
	write(serials, serial, pack(VOUCHER, value, IS_REDEEMED, issued, expires, now, q.wallet, q.key) .. sub(text, note_at))
	if not here then
		send(to, outbox, pack('<BI7c16', PARCEL_VOUCHER, value, q.wallet) .. q.asked)
		return answer(APPLIED, 0, 0, value, 0, 0, 0, account('>' .. to))
	end
	add(VOUCHERS, -value)
	credit(w, value)
	local position = record(w, KIND_REDEEM, 0, HAS_AMOUNT, pack('<I7', value), q.asked)
	remember_money(w, q, position)
	return answer(APPLIED, 0, w.available, value, 0, 0, position)
end

ops[ASK_VOID] = function(q)
	local done = judged_alone(q)
	if done then return done end
	local serials, length, at = unpack('<BI2', q.text, REST)
	local note, serial = sub(q.text, at, at + length - 1), number(q.amount)
	local text = read(serials, serial)
	if not text then
		return answer(NOT_FOUND)
	end
	local value, state, issued, expires, redeemed, owner, by, note_at = unpack(VOUCHER, text)
	local outcome = refused(state, expires)
	if outcome then
		return answer(outcome)
	end
	if note == '' then
		note = sub(text, note_at)
	end
	write(serials, serial, pack(VOUCHER, value, IS_VOID, issued, expires, redeemed, owner, by) .. note)
	local position = record(nil, KIND_VOID, 0, 0, '', q.asked)
	remember_alone(q, position)
	return answer(APPLIED, 0, 0, 0, 0, 0, position)
end
end
