-- The journal: one entry for each flight, whose number has no gaps. In it are the
-- time and the records; one is
--
--	length of what follows 2, kind 1, flags 1, which fields follow 1, balance
--	afterwards 4, position of the wallet's record before 5; the fields; and what was
--	asked, as the caller wrote it.
--
-- Balance and position take 7 each in a wide record, where one does not fit: above 4294
-- units of a currency, or after 268 million entries.
--
-- A position is an entry's number times 4096 and the record's place in the entry.
local KIND_CREATE, KIND_CHARGE, KIND_VISIT, KIND_BUY, KIND_REFUND, KIND_DELIVER = 1, 2, 3, 4, 5, 6
local KIND_TRANSFER, KIND_HOLD, KIND_CAPTURE, KIND_RELEASE, KIND_REKEY, KIND_FREEZE = 7, 8, 9, 10, 11, 12
local KIND_ISSUE, KIND_REDEEM, KIND_VOID, KIND_PUT, KIND_SHARE = 13, 14, 15, 16, 64

local FLAG_EXPIRED, FLAG_VISIT, FLAG_RESTORED, FLAG_ARRIVED, FLAG_WIDE = 1, 2, 4, 8, 16
local HAS_AMOUNT, HAS_VISITS, HAS_UNTIL, HAS_HOLD, HAS_TIME, HAS_NUMBER, HAS_RULE, HAS_OTHER = 1, 2, 4, 8, 16, 32, 64, 128

-- number writes an integer exactly: tostring would round it.
local function number(n)
	return string.format('%.0f', n)
end

local PLACES = 4096
local NARROW_BALANCES, NARROW_POSITIONS = 4294967296, 1099511627776
local count -- of the records in the entry
local entry -- its parts: the head is put before them at the end

-- note writes a record, and returns its position.
local function note(balance, before, kind, flags, has, fields, asked)
	local n = 3 * count
	if balance < NARROW_BALANCES and before < NARROW_POSITIONS then
		entry[n + 1] = pack('<I2BBBI4I5', 12 + #fields + #asked, kind, flags, has, balance, before)
	else
		entry[n + 1] = pack('<I2BBBI7I7', 17 + #fields + #asked, kind, flags + FLAG_WIDE, has, balance, before)
	end
	entry[n + 2] = fields
	entry[n + 3] = asked
	count = count + 1
	return sequence * PLACES + count - 1
end

-- record writes a record of a wallet, or of none where w is nil, and returns its
-- position.
local function record(w, kind, flags, has, fields, asked)
	if not w then
		return note(0, 0, kind, flags, has, fields, asked)
	end
	w.last = note(w.available, w.last, kind, flags, has, fields, asked)
	touch(w)
	return w.last
end

-- record_again returns the record at a position of this flight.
local function record_again(position)
	local n = 3 * (position % PLACES)
	return entry[n + 1] .. entry[n + 2] .. entry[n + 3]
end
