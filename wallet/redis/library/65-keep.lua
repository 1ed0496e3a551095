-- Wallets and who may open them. The first shard has the list of all wallets in the
-- order of creation, and which recovery digest opens which; in a ledger of several
-- shards it is asked before the wallet's own shard, which has the last word.
do
local ASK_CREATE, ASK_CLAIM, ASK_UNCLAIM, ASK_REKEY, ASK_FREEZE, ASK_LOOK, ASK_PRECHECK = 12, 13, 14, 15, 16, 17, 18
local NO_DIGEST = NOBODY

-- claim makes a digest open a wallet, and says whether it may.
local function claim(openers, digest, id)
	local owner = read(openers, digest)
	if owner and owner ~= id then
		return CONFLICT
	end
	if not owner then
		write(openers, digest, id)
	end
	return APPLIED, owner
end

ops[ASK_CREATE] = function(q, w)
	local done = judged(w, q, WEEK)
	if done then return done end
	local list, openers, digest = unpack('<BBc16', q.text, REST)
	if w then
		return answer(CONFLICT)
	end
	if list > 0 then
		if digest ~= NO_DIGEST and claim(openers, digest, q.wallet) ~= APPLIED then
			return answer(CONFLICT)
		end
		later[#later + 1] = { 'RPUSH', KEYS[list], q.wallet }
	end
	w = new_wallet(q.wallet, digest)
	wallets[w.id] = w
	local position = record(w, KIND_CREATE, 0, HAS_NUMBER, pack('<I7', 1), q.asked)
	remember_money(w, q, position)
	return answer(APPLIED, 0, 0, 0, 0, 0, position, 0, 1)
end

-- For a wallet of another shard: its digest is taken, and it is listed. One without a
-- digest is claimed under a longer name, so that asking again lists it once.
ops[ASK_CLAIM] = function(q)
	local list, openers, digest = unpack('<BBc16', q.text, REST)
	local name = digest
	if digest == NO_DIGEST then
		name = 'w' .. q.wallet
	end
	local outcome, owner = claim(openers, name, q.wallet)
	if outcome == APPLIED and not owner and list > 0 then
		later[#later + 1] = { 'RPUSH', KEYS[list], q.wallet }
	end
	return answer(outcome)
end

ops[ASK_UNCLAIM] = function(q)
	local openers, digest = unpack('<Bc16', q.text, REST)
	if read(openers, digest) == q.wallet then
		write(openers, digest, false)
	end
	return answer(APPLIED)
end

ops[ASK_REKEY] = function(q, w)
	local done = judged(w, q, WEEK)
	if done then return done end
	local here, openers, openers_before, digest, before = unpack('<BBBc16c16', q.text, REST)
	if not w then
		return answer(NOT_FOUND)
	end
	if w.recovery ~= before then
		return answer(AGAIN)
	end
	if here == 1 and digest ~= before then
		if digest ~= NO_DIGEST and claim(openers, digest, w.id) ~= APPLIED then
			return answer(CONFLICT)
		end
		if before ~= NO_DIGEST then
			write(openers_before, before, false)
		end
	end
	w.recovery = digest
	if q.flags == 1 then
		w.generation = w.generation + 1
	end
	local position = record(w, KIND_REKEY, 0, HAS_NUMBER, pack('<I7', w.generation), q.asked)
	remember_money(w, q, position)
	return answer(APPLIED, 0, w.available, 0, 0, 0, position, 0, w.generation)
end

ops[ASK_FREEZE] = function(q, w)
	local done = judged(w, q, WEEK)
	if done then return done end
	if not w then
		return answer(NOT_FOUND)
	end
	w.frozen = q.flags == 1
	local position = record(w, KIND_FREEZE, 0, 0, '', q.asked)
	remember_money(w, q, position)
	return answer(APPLIED, 0, w.available, 0, 0, 0, position)
end

-- A wallet whole, as it is kept.
ops[ASK_LOOK] = function(_, w)
	if not w then
		return answer(NOT_FOUND)
	end
	texts[#texts + 1] = render(w)
	return answer(APPLIED, 0, 0, 0, 0, 0, 0, #texts)
end

-- Whether a wallet could be credited by an operation about it or about another, or by
-- a voucher of a value.
ops[ASK_PRECHECK] = function(q, w)
	local done = q.flags == 1 and judged(w, q, WEEK)
	if done then return done end
	if not w then
		return answer(NOT_FOUND)
	end
	if q.amount > 0 and (may_give(VOUCHERS, true, q.amount) ~= APPLIED or may_have(w, q.amount) ~= APPLIED) then
		return refuse(LIMIT, w)
	end
	return answer(APPLIED, 0, w.available, 0, 0, 0, 0, w.available + w.held)
end
end
