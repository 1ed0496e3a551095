-- A wallet is one string, so that a charge reads one field and writes one:
--
--	available 7, generation 3, flags 1, created 6, last record's position 7, recovery
--	digest 16, number of passes 2, of ids of money 1; then by the flags held 7, and the
--	times until which ids of charges, grants and ids of money have overflowed, 6 each;
--	then the passes, the ids of money, and the items.
--
-- An item is what a charge leaves: its id 14, flags 1, the resource that it paid for
-- 12, the end of the grant 6, and the record's position 7. Other operations that are
-- remembered as long leave one without a resource. Few wallets have many items; those
-- beyond the most of them lie in hashes of the shard, where only who has such a wallet
-- has to look.
--
-- Lua hashes every byte of every string that it makes, and a table that grows is made
-- again at each power of two. So a table here is made whole, and a string once, and a
-- wallet stays a string as long as nobody needs more of it (see plain_charge).
local HEAD = '<I7I3BI6I7c16I2B'
local IS_FROZEN, HAS_HELD, HAS_IDS, HAS_GRANTS, HAS_MONEY = 1, 2, 4, 8, 16
local NOBODY = string.rep('\0', 16)

local PASS, ID, ITEM = 17, 22, 40 -- bytes of one
local MOST_ITEMS, MOST_IDS = 24, 24

local wallets -- by id: one that was looked into, the string of one that was not, or false
local touched -- the looked into that are to be written
local renewed, renewals -- those that are to be written as they are, and their list

local function parse(id, text)
	local available, generation, flags, created, last, recovery, passes, money, at = unpack(HEAD, text)
	local held, ids_until, grants_until, money_until = 0, 0, 0, 0
	if flags > 1 then
		if flags % 4 >= HAS_HELD then held, at = unpack('<I7', text, at) end
		if flags % 8 >= HAS_IDS then ids_until, at = unpack('<I6', text, at) end
		if flags % 16 >= HAS_GRANTS then grants_until, at = unpack('<I6', text, at) end
		if flags >= HAS_MONEY then money_until, at = unpack('<I6', text, at) end
	end
	local money_at = at + passes * PASS
	local items_at = money_at + money * ID
	return {
		id = id, available = available, held = held, generation = generation, frozen = flags % 2 == 1,
		created = created, last = last, recovery = recovery,
		ids_until = ids_until, grants_until = grants_until, money_until = money_until,
		passes = passes > 0 and sub(text, at, money_at - 1) or '',
		money = money > 0 and sub(text, money_at, items_at - 1) or '',
		items = sub(text, items_at),
		touched = false,
	}
end

local function new_wallet(id, recovery)
	return {
		id = id, available = 0, held = 0, generation = 1, frozen = false, created = now, last = 0, recovery = recovery,
		ids_until = 0, grants_until = 0, money_until = 0,
		passes = '', money = '', items = '', touched = false,
	}
end

local function render(w)
	local flags, more = w.frozen and IS_FROZEN or 0, ''
	if w.held > 0 then
		flags, more = flags + HAS_HELD, pack('<I7', w.held)
	end
	if w.ids_until > now then
		flags, more = flags + HAS_IDS, more .. pack('<I6', w.ids_until)
	end
	if w.grants_until > now then
		flags, more = flags + HAS_GRANTS, more .. pack('<I6', w.grants_until)
	end
	if w.money_until > now then
		flags, more = flags + HAS_MONEY, more .. pack('<I6', w.money_until)
	end
	return pack(HEAD, w.available, w.generation, flags, w.created, w.last, w.recovery, #w.passes / PASS, #w.money / ID)
		.. more .. w.passes .. w.money .. w.items
end

local function touch(w)
	if not w.touched then
		w.touched = true
		touched[#touched + 1] = w
	end
end

-- wallet returns a wallet to look into, or false where there is none.
local function wallet(id)
	local w = wallets[id]
	if w == nil then
		w = call('HGET', KEYS[WALLETS], id)
	end
	if type(w) == 'string' then
		w = parse(id, w)
		if renewed[id] then
			touch(w)
		end
	end
	wallets[id] = w
	return w
end

-- renew puts a string in the place of a wallet's.
local function renew(id, text)
	wallets[id] = text
	if not renewed[id] then
		renewed[id] = true
		renewals[#renewals + 1] = id
	end
end

-- place returns where in a block the piece of a size begins that has a key at an
-- offset, from some byte on. The bytes of a key may come by chance, or on purpose, where
-- none begins.
local function place(block, key, size, offset, from)
	local at = find(block, key, from, true)
	while at do
		if (at - 1 - offset) % size == 0 then
			return at - offset
		end
		at = find(block, key, at + 1, true)
	end
end

local function replace(block, at, with)
	return sub(block, 1, at - 1) .. with .. sub(block, at + #with)
end

-- may_have reports whether a wallet may have so much more.
local function may_have(w, amount)
	if w.available + w.held + amount > MOST then
		return LIMIT
	end
	return APPLIED
end

local function credential(w, generation)
	if not w then return NOT_FOUND end
	if w.generation ~= generation then return REVOKED end
	if w.frozen then return FROZEN end
	return APPLIED
end
