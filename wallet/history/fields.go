package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// encodeFields writes an operation as a JSON object of those fields that are not
// zero. It goes by the types of the fields, so that one which package wallet adds
// to an operation is carried too.
func encodeFields(op any) (json.RawMessage, error) {
	v := reflect.ValueOf(op)
	b := []byte{'{'}
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			continue
		}
		form, err := formOf(v.Field(i).Interface())
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(form)
		if err != nil {
			return nil, err
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, fieldName(v.Type().Field(i))...)
		b = append(append(b, '"', ':'), text...)
	}
	return append(b, '}'), nil
}

func fieldName(f reflect.StructField) string { return strings.ToLower(f.Name) }

// formOf is the value of a field in the form that the file has it in.
func formOf(value any) (any, error) {
	switch v := value.(type) {
	case bool, int, uint32, uint64:
		return v, nil
	case string:
		return text(v), nil
	case wallet.Amount:
		return money(v), nil
	case time.Duration:
		return v.Milliseconds(), nil
	case time.Time:
		return v.UnixMilli(), nil
	case wallet.OpID:
		return id(v), nil
	case wallet.WalletID:
		return id(v), nil
	case wallet.Account:
		return text(v.String()), nil
	case wallet.Digest:
		return digest(v), nil
	case []wallet.Digest:
		forms := make([]digest, len(v))
		for i := range v {
			forms[i] = digest(v[i])
		}
		return forms, nil
	}
	return nil, fmt.Errorf("no form for a field of type %T", value)
}

// decodeFields reads what encodeFields wrote of an operation of a type.
func decodeFields(of reflect.Type, object json.RawMessage) (any, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(object, &fields); err != nil {
		return nil, err
	}
	if fields == nil {
		return nil, errors.New("null is no operation")
	}
	op := reflect.New(of).Elem()
	for i := range op.NumField() {
		name := fieldName(of.Field(i))
		form, there := fields[name]
		if !there {
			continue
		}
		delete(fields, name)
		if err := readForm(form, op.Field(i).Addr().Interface()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	for unknown := range fields {
		return nil, fmt.Errorf("a field %.40q, which a newer version may know", unknown)
	}
	return op.Interface(), nil
}

// readForm reads the form of a field into it.
func readForm(form json.RawMessage, into any) error {
	if string(form) == "null" {
		return errors.New("null is no value")
	}
	switch p := into.(type) {
	case *bool, *int, *uint32, *uint64:
		return json.Unmarshal(form, p)
	case *string:
		return json.Unmarshal(form, (*text)(p))
	case *wallet.Amount:
		return json.Unmarshal(form, (*money)(p))
	case *time.Duration:
		return readDuration(form, p)
	case *time.Time:
		var ms int64
		err := json.Unmarshal(form, &ms)
		*p = time.UnixMilli(ms).UTC()
		return err
	case *wallet.OpID:
		return json.Unmarshal(form, (*id)(p))
	case *wallet.WalletID:
		return json.Unmarshal(form, (*id)(p))
	case *wallet.Account:
		return readAccount(form, p)
	case *wallet.Digest:
		return json.Unmarshal(form, (*digest)(p))
	case *[]wallet.Digest:
		var forms []digest
		err := json.Unmarshal(form, &forms)
		for _, d := range forms {
			*p = append(*p, wallet.Digest(d))
		}
		return err
	}
	return fmt.Errorf("no form for a field of type %T", into)
}

// longest is longer than any duration that a ledger takes.
const longest = 2 * wallet.MaxValidity

func readDuration(form json.RawMessage, into *time.Duration) error {
	var ms int64
	if err := json.Unmarshal(form, &ms); err != nil {
		return err
	}
	if ms < 0 || ms > longest.Milliseconds() {
		return fmt.Errorf("%d ms is no duration of an operation", ms)
	}
	*into = time.Duration(ms) * time.Millisecond
	return nil
}

func readAccount(form json.RawMessage, into *wallet.Account) error {
	var name text
	if err := json.Unmarshal(form, &name); err != nil {
		return err
	}
	if owner, ok := strings.CutPrefix(string(name), walletPrefix); ok {
		id, err := wallet.ParseWalletID(owner)
		*into = wallet.WalletAccount(id)
		return err
	}
	*into = wallet.Account{Name: string(name)}
	return nil
}

// walletPrefix begins a wallet's account as it is written; no other account's
// name begins so.
const walletPrefix = "wallet:"
