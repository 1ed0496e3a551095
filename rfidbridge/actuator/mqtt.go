package actuator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/mqtt"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// MQTT asks whoever listens to a topic of a broker to open: with an Opening in JSON, at
// least once, so that they open once for one tap. Done is that the broker has taken it for
// somebody, or with a topic for replies, that somebody has replied so: {"tap": …,
// "outcome": "done"} or "refused".
//
// Each opening has a connection of its own, and is sent once: none is kept for a broker or a
// listener that is away, who would open later with nobody there.
type MQTT struct {
	Broker mqtt.Broker
	Topic  string
	Reply  string // empty: the broker's word is enough
}

// Open implements [Actuator].
func (m *MQTT) Open(ctx context.Context, o Opening) (Outcome, error) {
	body, err := json.Marshal(o)
	if err != nil {
		return refused("the opening cannot be written: %w", err)
	}
	conn, err := mqtt.Connect(ctx, m.Broker)
	if err != nil {
		return refused("the broker: %w", err)
	}
	outcome, err := m.ask(ctx, conn, o.Tap, body)
	if outcome == Done {
		_ = conn.Close() // all was said
		return Done, err
	}
	conn.Abort()
	return outcome, errors.Join(err, ctx.Err())
}

// ask sends an opening, and waits for what becomes of it.
func (m *MQTT) ask(ctx context.Context, conn *mqtt.Conn, tap wallet.OpID, body []byte) (Outcome, error) {
	if m.Reply != "" {
		if err := conn.Subscribe(m.Reply); err != nil {
			return refused("the topic for replies: %w", err)
		}
	}
	number, err := conn.Publish(m.Topic, body, left(ctx))
	if err != nil {
		return Unknown, err
	}
	for {
		event, err := conn.Receive()
		switch {
		case err != nil:
			return Unknown, err
		case event.Message != nil:
			switch said, ours := reply(event.Message, m.Reply, tap); {
			case ours && said == Done:
				return Done, nil
			case ours:
				return said, fmt.Errorf("the reply is that it is %s", said)
			}
		case event.Answers != number:
			return Unknown, errors.New("the broker answers what was not asked")
		case event.Reason != 0:
			return Refused, event.Reason
		case m.Reply == "":
			return Done, nil
		}
	}
}

// left is how long an opening is worth something.
func left(ctx context.Context) time.Duration {
	deadline, has := ctx.Deadline()
	if !has {
		return MostPulse
	}
	return time.Until(deadline)
}

// reply reads what somebody says has become of a tap, if it is ours.
func reply(m *mqtt.Message, topic string, tap wallet.OpID) (outcome Outcome, ours bool) {
	var said struct {
		Tap     wallet.OpID `json:"tap"`
		Outcome string      `json:"outcome"`
	}
	if m.Topic != topic || json.Unmarshal(m.Payload, &said) != nil || said.Tap != tap {
		return Unknown, false
	}
	for _, outcome := range []Outcome{Done, Refused} {
		if said.Outcome == outcome.String() {
			return outcome, true
		}
	}
	return Unknown, true
}
