package history

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Whatever package wallet adds to an operation must be carried, or the replay does
// something else (invariant 7).
func TestEveryFieldOfEveryOperationIsCarried(t *testing.T) {
	for name, of := range operations {
		for i := range of.NumField() {
			op := reflect.New(of).Elem()
			fill(t, op.Field(i))
			form, err := encodeFields(op.Interface())
			if err != nil {
				t.Errorf("%s: %s: %v", name, of.Field(i).Name, err)
				continue
			}
			if back, err := decodeFields(of, form); err != nil || !reflect.DeepEqual(back, op.Interface()) {
				t.Errorf("%s: %+v is %s and comes back as %+v, %v", name, op, form, back, err)
			}
		}
	}
}

// fill puts a value that is not zero into a field.
func fill(t *testing.T, field reflect.Value) {
	t.Helper()
	switch p := field.Addr().Interface().(type) {
	case *time.Time:
		*p = time.UnixMilli(1).UTC()
	case *time.Duration:
		*p = time.Millisecond
	case *wallet.Account:
		p.Name = "site"
	case *[]wallet.Digest:
		*p = []wallet.Digest{{1}, {2}}
	default:
		switch {
		case field.CanInt():
			field.SetInt(math.MaxInt32)
		case field.CanUint():
			field.SetUint(math.MaxUint32)
		case field.Kind() == reflect.Bool:
			field.SetBool(true)
		case field.Kind() == reflect.String:
			field.SetString("a\xff")
		case field.Kind() == reflect.Array:
			field.Index(field.Len() - 1).SetUint(255)
		default:
			t.Fatalf("the test knows no value of type %s", field.Type())
		}
	}
}

func TestMoneyIsWrittenAndReadWithoutRounding(t *testing.T) {
	for amount, form := range map[money]string{
		0: "0", 1: "0.000001", -1: "-0.000001", 100_000: "0.1", 5_000_000: "5", -12_345_678: "-12.345678",
		money(wallet.MaxAmount): "9007199254.740991", math.MaxInt64: "9223372036854.775807",
	} {
		got, err := amount.MarshalText()
		if err != nil || string(got) != form {
			t.Errorf("%d is written %s, %v; want %s", int64(amount), got, err, form)
		}
		var back money
		if err := back.UnmarshalText([]byte(form)); err != nil || back != amount {
			t.Errorf("%s is read %d, %v", form, int64(back), err)
		}
	}
	for _, wrong := range []string{"", "-", ".", ".1", "1.", "1.0000001", "1e3", "+1", "1,0", "--1", " 1", "1 ", "0x1", "9223372036854.775808", "ten", "1.-1"} {
		var m money
		if err := m.UnmarshalText([]byte(wrong)); err == nil {
			t.Errorf("%q is read %d", wrong, int64(m))
		}
	}
}

func TestWhatIsNoFieldIsRefused(t *testing.T) {
	of := reflect.TypeFor[wallet.Transfer]()
	for _, wrong := range []string{
		``, `null`, `[]`, `{"id":null}`, `{"id":""}`, `{"id":7}`, `{"amount":1}`, `{"amount":"1.0000001"}`, `{"from":"wallet:x"}`,
		`{"from":{"hex":"zz"}}`, `{"from":{"hex":"00","more":1}}`, `{"generation":-1}`, `{"generation":4294967296}`, `{"tip":"1"}`, `{"Amount":"1"}`,
	} {
		if op, err := decodeFields(of, json.RawMessage(wrong)); err == nil {
			t.Errorf("%s is read as %+v", wrong, op)
		}
	}
	for _, wrong := range []string{`{"window":-1}`, `{"window":9223372036854775807}`, `{"window":1.5}`, `{"window":"1h"}`} {
		if op, err := decodeFields(reflect.TypeFor[wallet.Charge](), json.RawMessage(wrong)); err == nil {
			t.Errorf("%s is read as %+v", wrong, op)
		}
	}
	for _, wrong := range []string{`{"digests":["00"]}`, `{"digests":"00"}`, `{"expires":"noon"}`} {
		if op, err := decodeFields(reflect.TypeFor[wallet.IssueVouchers](), json.RawMessage(wrong)); err == nil {
			t.Errorf("%s is read as %+v", wrong, op)
		}
	}
}
