package wallet

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

func TestASecretReadsBackFromItsText(t *testing.T) {
	for seed := range byte(100) {
		secret := must(NewSecret(seeded(seed)))(t)
		again := must(ParseSecret(secret.Text()))(t)
		if !bytes.Equal(secret.bytes(), again.bytes()) {
			t.Fatalf("seed %d: another secret came back", seed)
		}
	}
}

func TestASecretMayBeWrittenInHexadecimalOrAnyBase64(t *testing.T) {
	key := testSecret(t).bytes()
	for name, text := range map[string]string{
		"hexadecimal":            hex.EncodeToString(key),
		"upper-case hexadecimal": strings.ToUpper(hex.EncodeToString(key)),
		"base64":                 base64.StdEncoding.EncodeToString(key),
		"base64 without padding": base64.RawStdEncoding.EncodeToString(key),
		"URL base64":             base64.URLEncoding.EncodeToString(key),
		"a file's last newline":  hex.EncodeToString(key) + "\n",
	} {
		if got := must(ParseSecret(text))(t); !bytes.Equal(got.bytes(), key) {
			t.Errorf("%s: another secret came back", name)
		}
	}
}

func TestALongerSecretIsUsedWhole(t *testing.T) {
	long := make([]byte, 48)
	_ = must(seeded(4).Read(long))(t)
	whole := must(ParseSecret(hex.EncodeToString(long)))(t)
	cut := must(ParseSecret(hex.EncodeToString(long[:32])))(t)
	if bytes.Equal(whole.Derive("x").key(), cut.Derive("x").key()) {
		t.Error("bytes beyond the 32nd change nothing")
	}
}

func TestAnUnusableSecretIsRefusedWithoutBeingRepeated(t *testing.T) {
	counting := make([]byte, 32)
	for i := range counting {
		counting[i] = byte(7 * i)
	}
	random := hex.EncodeToString(testSecret(t).bytes())
	for name, text := range map[string]string{
		"nothing":                      "",
		"white space":                  " \n",
		"31 bytes":                     random[:62],
		"half a byte":                  random[:63],
		"24 bytes that look like 36":   random[:48],
		"zeros":                        strings.Repeat("00", 32),
		"one letter":                   strings.Repeat("A", 44),
		"one byte":                     strings.Repeat("a7", 40),
		"counting":                     hex.EncodeToString(counting),
		"a repeated pattern":           strings.Repeat("0123456789abcdef", 4),
		"readable text in base64":      base64.StdEncoding.EncodeToString([]byte("correct horse battery staple and more")),
		"readable text in hexadecimal": hex.EncodeToString([]byte("correct horse battery staple and more")),
		"the README's":                 "change-me-change-me-change-me-change-me-change-me",
		"a sample":                     "ThisIsAnEXAMPLEofASecretThatNobodyShouldEverUse0",
		"a sentence":                   "correct horse battery staple, and then some more",
		"a key of another kind":        "-----BEGIN PRIVATE KEY-----",
		"too long":                     strings.Repeat(random, 20),
	} {
		secret, err := ParseSecret(text)
		if !errors.Is(err, ErrSecret) {
			t.Errorf("%s: got error %v, want ErrSecret", name, err)
			continue
		}
		if secret.key != nil {
			t.Errorf("%s: a key came with the error", name)
		}
		if holdsPart(err.Error(), text) {
			t.Errorf("%s: the error repeats the value: %v", name, err)
		}
	}
}

func TestABrokenSourceOfRandomnessMakesNoSecret(t *testing.T) {
	if _, err := NewSecret(bytes.NewReader(make([]byte, 32))); !errors.Is(err, ErrSecret) {
		t.Errorf("only zeros: got error %v, want ErrSecret", err)
	}
	if _, err := NewSecret(strings.NewReader("short")); err == nil {
		t.Error("a source that ends early made a secret")
	}
}

// The oracle is HKDF written out from RFC 5869: extract with a salt of zeros,
// then the first block of expand.
func TestDerivedKeysAreHKDF(t *testing.T) {
	secret := testSecret(t)
	mac := func(key []byte, message string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(message))
		return h.Sum(nil)
	}
	extracted := mac(make([]byte, 32), string(secret.bytes()))
	want := mac(extracted, "caddy-paywall/v1/voucher\x01")
	if got := secret.Derive(LabelVoucher); !bytes.Equal(got.key(), want) {
		t.Errorf("derived %x, want %x", got.key(), want)
	}
}

func TestATagOpensOnlyItsOwnMessageUnderItsOwnKey(t *testing.T) {
	secret, message := testSecret(t), []byte("0.10 for /articles/1")
	quotes := secret.Derive("quote")
	tag := quotes.Sign(message)
	if !quotes.Verify(message, tag[:]) {
		t.Fatal("a genuine tag is refused")
	}
	if secret.Derive("receipt").Verify(message, tag[:]) {
		t.Error("a key of another label accepts the tag")
	}
	for i := range tag {
		forged := tag
		forged[i] ^= 1
		if quotes.Verify(message, forged[:]) {
			t.Errorf("a tag with another byte %d is accepted", i)
		}
	}
	for _, forged := range [][]byte{nil, {}, tag[:TagSize-1], append(tag[:], 0), bytes.Repeat(tag[:], 2)} {
		if quotes.Verify(message, forged) {
			t.Errorf("a tag of %d bytes is accepted", len(forged))
		}
	}
	if quotes.Verify(append(message, ' '), tag[:]) {
		t.Error("another message is accepted")
	}
}

// What a key signs with is used again, and must not be by two at once.
func TestAKeySignsForManyAtOnce(t *testing.T) {
	key := testSecret(t).Derive("quote")
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			message := bytes.Repeat([]byte{byte(worker)}, 100*worker)
			mac := hmac.New(sha256.New, key.key())
			mac.Write(message)
			want := mac.Sum(nil)
			for range 200 {
				if got := key.Sign(message); !bytes.Equal(got[:], want) {
					t.Errorf("the tag of %d bytes is %x, want %x", len(message), got, want)
					return
				}
			}
		})
	}
	group.Wait()
}

func TestWithoutAKeyNothingIsSigned(t *testing.T) {
	for name, use := range map[string]func(){
		"derive from the zero Secret": func() { Secret{}.Derive("quote") },
		"write the zero Secret":       func() { _ = Secret{}.Text() },
		"sign with the zero Key":      func() { Key{}.Sign(nil) },
		"verify with the zero Key":    func() { Key{}.Verify(nil, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("an empty key was used")
				}
			}()
			use()
		})
	}
}

func TestSecretsDoNotReachLogsErrorsOrDumps(t *testing.T) {
	secret := testSecret(t)
	key := secret.Derive("quote")
	secretHex, keyHex := secret.Text(), hex.EncodeToString(key.key())
	type config struct { // as an application embeds them: fmt reads unexported fields without asking
		secret Secret
		key    Key
		Root   Secret
	}
	holder := config{secret, key, secret}

	var logged bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		slog.New(handler).Info("x", "secret", secret, "key", key, "holder", holder, "pointer", &holder)
	}
	texts := []string{logged.String(), secret.String(), key.GoString(), fmt.Sprint(secret), fmt.Errorf("%w %v", ErrSecret, secret).Error()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b", "%o", "%c", "%U", "%p", "%t"} {
		for _, value := range []any{secret, &secret, key, &key, holder, &holder, []Secret{secret}} {
			texts = append(texts, fmt.Sprintf(verb, value))
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%b", "%o", "%c", "%U", "%t"} {
		for _, value := range []any{secret, &secret, key, &key} {
			if got := fmt.Sprintf(verb, value); got != redaction {
				t.Errorf("%s writes %q", verb, got)
			}
		}
	}
	for _, value := range []any{secret, &key, holder, map[string]any{"a": &holder}} {
		texts = append(texts, string(must(json.Marshal(value))(t)))
	}
	for _, text := range texts {
		assertNoBytes(t, text, secretHex, secret.bytes())
		assertNoBytes(t, text, keyHex, key.key())
	}
	if got := string(must(json.Marshal(struct{ Secret Secret }{secret}))(t)); got != `{"Secret":"[redacted]"}` {
		t.Errorf("as JSON a secret is %s", got)
	}
}

// assertNoBytes looks for a key in the forms that Go's printing gives bytes.
func assertNoBytes(t *testing.T, text, hexadecimal string, key []byte) {
	t.Helper()
	decimal := strings.Trim(fmt.Sprint(key), "[]")
	lists := []string{
		hexadecimal, strings.ToUpper(hexadecimal), decimal, strings.Trim(fmt.Sprintf("%x", key), "[]"),
		strings.ReplaceAll(decimal, " ", ","), base64.StdEncoding.EncodeToString(key), string(key),
		strings.Trim(fmt.Sprintf("%b", key), "[]"), strings.Trim(fmt.Sprintf("%o", key), "[]"),
		strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", key), "[]byte{"), "}"),
	}
	for _, form := range lists {
		if strings.Contains(text, form[:len(form)/2]) {
			t.Errorf("key bytes in %.80q", text)
		}
	}
}

func FuzzParseSecret(f *testing.F) {
	f.Add("")
	f.Add("deadbeef")
	f.Add(strings.Repeat("QUJD", 11))
	f.Add("bm90IGEgc2VjcmV0IGF0IGFsbCwganVzdCB0ZXh0IQ==")
	f.Add("\x00é=-_+/")
	f.Fuzz(func(t *testing.T, text string) {
		secret, err := ParseSecret(text)
		switch {
		case err != nil && !errors.Is(err, ErrSecret):
			t.Fatalf("error %v does not wrap ErrSecret", err)
		case err != nil:
			return
		case len(secret.bytes()) < 32:
			t.Fatalf("%d bytes of key pass for a secret", len(secret.bytes()))
		}
		if again := must(ParseSecret(secret.Text()))(t); !bytes.Equal(again.bytes(), secret.bytes()) {
			t.Fatal("another secret came back")
		}
	})
}

func BenchmarkSign(b *testing.B) {
	key, message := testSecret(b).Derive("quote"), make([]byte, 200)
	b.ReportAllocs()
	for b.Loop() {
		key.Sign(message)
	}
}
