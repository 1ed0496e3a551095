package page

import (
	"io"
	"strconv"
)

// Problem is an error page for people.
type Problem struct {
	Frame

	// Status is the HTTP status it is sent with, shown small for a reader who
	// reports it.
	Status int

	// Key is one of this package's message keys; an unknown one reads as
	// BadRequest.
	Key string

	// Return is where the reader came from; empty: no link back.
	Return string
}

// Render writes the page, as [Challenge.Render] does.
func (p Problem) Render(w io.Writer) error {
	return render(w, p.Lang, "problem", p.view())
}

// problemView is a Problem as its template needs it.
type problemView struct {
	frameView
	Key    string
	Status string
	Return string // href; empty: none
}

func (p Problem) view() problemView {
	v := problemView{frameView: p.Frame.view(false), Key: p.Key, Status: strconv.Itoa(p.Status)}
	if p.Return != "" {
		v.Return = localPath(p.Return)
	}
	return v
}
