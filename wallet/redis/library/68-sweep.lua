-- What has ended is forgotten when its wallet is next used; this is for wallets that are
-- not, and for grants that have overflowed. Some of both at a time.
do
local ASK_SWEEP = 25
local AT_A_TIME = 50

-- sweep_wallet leaves out what a wallet need not remember any more.
local function sweep_wallet(w)
	local live, money_at = live_items(w), live_money(w)
	if #live * ITEM < #w.items or money_at > 1 then
		w.items, w.money = table.concat(live), sub(w.money, money_at)
		touch(w)
	end
end

ops[ASK_SWEEP] = function(q)
	local found = call('HSCAN', KEYS[GRANTS], number(q.amount), 'COUNT', AT_A_TIME)
	for i = 1, #found[2], 2 do
		if over((unpack('<I6', found[2][i + 1], 2))) then
			write(GRANTS, found[2][i], false)
		end
	end
	local next_grants = tonumber(found[1])
	found = call('HSCAN', KEYS[WALLETS], number(q.span), 'COUNT', AT_A_TIME)
	for i = 1, #found[2], 2 do
		local w = wallet(found[2][i])
		if w then
			sweep_wallet(w)
		end
	end
	return answer(APPLIED, 0, 0, next_grants, 0, tonumber(found[1]))
end
end
