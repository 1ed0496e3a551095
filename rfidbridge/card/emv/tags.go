package emv

// Tags of the data objects that are read or told (EMV Book 3, annex A, and Book C-3).
const (
	tagEntry    = 0x61
	tagName     = 0x4F
	tagPriority = 0x87
	tagPDOL     = 0x9F38

	tagFormat1 = 0x80 // an answer of values alone
	tagFormat2 = 0x77 // an answer of data objects
	tagRecord  = 0x70

	tagProfile = 0x82 // what the application can do (AIP)
	tagFiles   = 0x94 // which records there are (AFL)

	tagPAN     = 0x5A
	tagTrack2  = 0x57
	tagExpires = 0x5F24
	tagAccount = 0x9F24 // the payment account reference (PAR)

	tagAuthorityIndex  = 0x8F
	tagIssuer          = 0x90
	tagIssuerRemainder = 0x92
	tagIssuerExponent  = 0x9F32
	tagCard            = 0x9F46
	tagCardRemainder   = 0x9F48
	tagCardExponent    = 0x9F47
	tagSignedTags      = 0x9F4A // what is signed beside the records

	tagSignature  = 0x9F4B
	tagCardsPart  = 0x9F69 // what a card adds to what fDDA signs
	tagDDOL       = 0x9F49
	tagCDOL1      = 0x8C
	tagCryptogram = 0x9F27 // of which kind it is (CID)

	tagUnpredictable = 0x9F37
	tagAmount        = 0x9F02
	tagCurrency      = 0x5F2A
)
