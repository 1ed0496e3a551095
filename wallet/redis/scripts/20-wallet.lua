-- A wallet is one string, so that a charge reads one field and writes one:
--
--	available 7, generation 3, flags 1, created 6, last entry's position 7,
--	recovery digest 16, number of passes 2, of ids of money 1, of charges 1, of
--	grants 1; then by the flags held 7, and the times until which ids of charges,
--	grants and ids of money have overflowed, 6 each; then the items.
--
-- Few wallets have many items. Those beyond the most of their kind lie in hashes of
-- the shard, where only who has such a wallet has to look.
local HEAD, HEAD_SIZE = '<I7I3BI6I7c16I2BBB', 45
local IS_FROZEN, HAS_HELD, HAS_IDS, HAS_GRANTS, HAS_MONEY = 1, 2, 4, 8, 16
local NOBODY = string.rep('\0', 16)

local PASS, ID, GRANT = 17, 22, 26 -- bytes of an item
local MOST_IDS, MOST_GRANTS = 24, 24

local wallets, touched = {}, {}

local function parse(id, text)
	local w = { id = id, held = 0, ids_until = 0, grants_until = 0, money_until = 0 }
	local flags, passes, money, charges, grants, at
	w.available, w.generation, flags, w.created, w.last, w.recovery, passes, money, charges, grants, at = unpack(HEAD, text)
	if flags > 0 then
		w.frozen = flags % 2 == 1
		if flags % 4 >= HAS_HELD then w.held, at = unpack('<I7', text, at) end
		if flags % 8 >= HAS_IDS then w.ids_until, at = unpack('<I6', text, at) end
		if flags % 16 >= HAS_GRANTS then w.grants_until, at = unpack('<I6', text, at) end
		if flags >= HAS_MONEY then w.money_until, at = unpack('<I6', text, at) end
	end
	local to = at + passes * PASS
	w.passes = sub(text, at, to - 1)
	at, to = to, to + money * ID
	w.money = sub(text, at, to - 1)
	at, to = to, to + charges * ID
	w.charges = sub(text, at, to - 1)
	w.grants = sub(text, to)
	return w
end

local function render(w)
	local flags, more = 0, ''
	if w.frozen then flags = IS_FROZEN end
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
	return pack(HEAD, w.available, w.generation, flags, w.created, w.last, w.recovery,
		#w.passes / PASS, #w.money / ID, #w.charges / ID, #w.grants / GRANT)
		.. more .. w.passes .. w.money .. w.charges .. w.grants
end

-- wallet returns a wallet, or false where there is none.
local function wallet(id)
	local w = wallets[id]
	if w == nil then
		local text = call('HGET', KEYS[WALLETS], id)
		w = text and parse(id, text)
		wallets[id] = w
	end
	return w
end

local function touch(w)
	if not w.touched then
		w.touched = true
		touched[#touched + 1] = w
	end
end

-- item returns where in a block of items one of a key begins. The bytes of a key
-- may come by chance, or on purpose, where no item begins.
local function item(block, key, size)
	local at = find(block, key, 1, true)
	while at and (at - 1) % size ~= 0 do
		at = find(block, key, at + 1, true)
	end
	return at
end

local function replace(block, at, size, with)
	return sub(block, 1, at - 1) .. with .. sub(block, at + size)
end

-- may_hold reports whether a wallet may have so much more.
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
