package actuator

import (
	"strings"
	"testing"
)

func TestAChipIsFoundByItsLabel(t *testing.T) {
	labels := map[string]string{"gpiochip0": "pinctrl-rp1", "gpiochip10": "gpio-brcmstb@107d517c00", "gpiochip11": "twin", "gpiochip12": "twin"}
	if path, err := labelled("pinctrl-rp1", labels); path != "/dev/gpiochip0" || err != nil {
		t.Errorf("it is %s, %v", path, err)
	}
	for label, want := range map[string]string{"twin": "give a path", "pinctrl-bcm2711": "pinctrl-rp1"} {
		if path, err := labelled(label, labels); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is %s, %v", label, path, err)
		}
	}
}

// What is no chip is refused, and nothing is opened.
func TestAMachineWithoutTheChipRefuses(t *testing.T) {
	for _, chip := range []string{"pinctrl-of-no-machine", "/dev/null", "/dev/gpiochip-of-none"} {
		g := &GPIO{Lines: Chips{}, Output: Line{Chip: chip, Offset: 1}, Pulse: DefaultPulse}
		if got, err := g.Open(t.Context(), opening); got != Refused || err == nil {
			t.Errorf("%s: %v, %v", chip, got, err)
		}
		if _, err := (Chips{}).Edges(g.Output, func() {}); err == nil {
			t.Errorf("%s is watched", chip)
		}
	}
}
