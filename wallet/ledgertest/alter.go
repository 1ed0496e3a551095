package ledgertest

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// contentOf names the fields of an operation that a retry must repeat.
func contentOf[Op any]() []string {
	var names []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Op]()) {
		if field.Name != "ID" {
			names = append(names, field.Name)
		}
	}
	return names
}

// altered is op with another value in one field, as near to the old one as the
// contract tells apart.
func altered[Op any](op Op, field string) Op {
	switch f := reflect.ValueOf(&op).Elem().FieldByName(field).Addr().Interface().(type) {
	case *string:
		*f += "!"
	case *bool:
		*f = !*f
	case *int:
		*f++
	case *uint32:
		*f++
	case *uint64:
		*f++
	case *wallet.Amount:
		*f++
	case *time.Duration:
		*f += time.Millisecond
	case *time.Time:
		*f = f.Add(time.Millisecond)
	case *wallet.OpID:
		f[15]++
	case *wallet.WalletID:
		f[15]++
	case *wallet.Account:
		if f.IsWallet() {
			f.Wallet[15]++
		} else {
			f.Name += "!"
		}
	case *wallet.Digest:
		f[31]++
	case *[]wallet.Digest:
		*f = slices.Clone(*f)
		(*f)[len(*f)-1][31]++
	default:
		panic(fmt.Sprintf("no other value of the field %s of a %T", field, op))
	}
	return op
}

func idOf(op any) wallet.OpID {
	return reflect.ValueOf(op).FieldByName("ID").Interface().(wallet.OpID)
}

func withID[Op any](op Op, id wallet.OpID) Op {
	reflect.ValueOf(&op).Elem().FieldByName("ID").Set(reflect.ValueOf(id))
	return op
}
