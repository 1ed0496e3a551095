-- What a wallet has paid for: grants, in its items, and passes by the rule's key of 8,
-- with visits and end.
local IS_AHEAD, IS_CLOSED, IS_CAPTURED, IS_ALONE = 2, 4, 8, 16 -- alone: a capture paid, and no charge

local function has(flags, flag)
	return flags % (2 * flag) >= flag
end

-- supersede takes a resource out of what is remembered of it, because it is paid for
-- anew: an older grant that ends later must not come back when the newer one is forgotten.
local function supersede(w, resource)
	local at = place(w.items, resource, ITEM, 15, 1)
	if at then
		w.items = replace(w.items, at + 15, NO_RESOURCE .. pack('<I6', 0))
	end
	if w.grants_until > now and read(GRANTS, w.id .. resource) then
		write(GRANTS, w.id .. resource, false)
	end
end

-- grant returns a grant's flags, end and position, closed or not, that has not ended,
-- and where among the items.
local function grant(w, resource)
	local items = w.items
	local at = place(items, resource, ITEM, 15, 1)
	local flags, ends, position
	if at then
		flags = byte(items, at + 14)
		ends, position = unpack('<I6I7', items, at + 27)
	else
		local text = w.grants_until > now and read(GRANTS, w.id .. resource)
		if not text then return end
		flags, ends, position = unpack('<BI6I7', text)
	end
	if not over(ends) then
		return flags, ends, position, at
	end
end

-- readable returns the end of what may be read of a resource, or zero.
local function readable(w, resource)
	local flags, ends = grant(w, resource)
	if flags and not has(flags, IS_CLOSED) then
		return ends
	end
	return 0
end

-- change_grant writes the flags and the end of a grant that is there, at a place among
-- the items or in the hash.
local function change_grant(w, resource, at, flags, ends, position)
	if at then
		w.items = replace(w.items, at + 14, string.char(flags))
		w.items = replace(w.items, at + 27, pack('<I6', ends))
	else
		write(GRANTS, w.id .. resource, pack('<BI6I7', flags, ends, position))
		w.grants_until = max(w.grants_until, ends)
	end
	touch(w)
end

-- settled notes that the charge of an id has been settled.
local function settled(w, key, made)
	local flags, position, at = charge_id(w, key, made)
	if not position or has(flags, IS_SETTLED) then return end
	if at then
		w.items = replace(w.items, at + 14, string.char(flags + IS_SETTLED))
	else
		write(hour_key(made), w.id .. key, pack('<BI7', flags + IS_SETTLED, position))
	end
end

-- pass returns the visits and the end of a wallet's pass for a rule, ended or not,
-- and where it is.
local function pass(w, rule)
	local at = place(w.passes, rule, PASS, 0, 1)
	if not at then
		return 0, 0
	end
	local visits, ends = unpack('<I3I6', w.passes, at + 8)
	return visits, ends, at
end

-- visits returns what is left in a pass, and its end.
local function visits(w, rule)
	if w.passes == '' then
		return 0, 0
	end
	local left, ends = pass(w, rule)
	if left == 0 or over(ends) then
		return 0, 0
	end
	return left, ends
end

local function set_pass(w, rule, left, ends)
	local _, _, at = pass(w, rule)
	local text = rule .. pack('<I3I6', left, ends)
	if at then
		w.passes = replace(w.passes, at, text)
	else
		w.passes = w.passes .. text
	end
end
