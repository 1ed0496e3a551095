package fill

import (
	"bytes"
	"html/template"
	"testing"
)

type product struct{ Name, Price string }

type view struct {
	Title    string
	Left     int64
	Good     bool
	Last     *product
	Products []product
	Names    []string
	Words    map[string]string
}

// What it reads it fills in as the library does.
func TestAPageIsFilledInAsHTMLTemplateDoes(t *testing.T) {
	hostile := `<script>alert("x")</script>' onload='1' & {{.Title}}`
	full := view{hostile, 42, true, &product{hostile, "0.10"}, []product{{"a", "1.00"}, {hostile, ""}}, []string{"x", hostile}, map[string]string{"left": hostile}}
	for _, page := range []string{
		"", "text alone", "<p>{{.Title}}</p>", `<a title="{{.Title}}" data-left="{{.Left}}">{{.Words.left}}</a>`,
		"{{if .Good}}good{{else}}bad{{end}}", "{{if .Title}}a{{else if .Good}}b{{else}}c{{end}}|{{if .Good}}x{{end}}",
		"{{range .Products}}<li>{{.Name}} {{.Price}} {{$.Title}}{{if .Price}}!{{end}}</li>{{else}}none{{end}}",
		"{{range .Names}}<b>{{.}}</b>{{end}}", "{{if .Last}}{{.Last.Name}}{{else}}none{{end}}{{if .Products}}some{{end}}",
		"{{range .Products}}{{range $.Names}}{{.}}{{$.Left}}{{end}}{{end}}",
	} {
		for _, v := range []view{full, {Words: map[string]string{"left": ""}}} {
			var want bytes.Buffer
			if err := template.Must(template.New("page").Parse(page)).Execute(&want, v); err != nil {
				t.Fatal(err)
			}
			got, err := Must(page).Fill(v)
			if err != nil || string(got) != want.String() {
				t.Errorf("%s becomes\n%s, %v, and by the library\n%s", page, got, err, want.String())
			}
		}
	}
}

func TestAMistakeInAPageIsFound(t *testing.T) {
	for _, page := range []string{
		"{{.Title", "{{if .Good}}", "{{end}}", "{{else}}", "{{if .Good}}{{else}}{{else}}{{end}}", "{{Title}}", "{{if}}a{{end}}",
		`{{.Word "title"}}`, "{{len .Names}}", "{{range .Names}}{{else if .Good}}{{end}}", "{{template \"x\"}}",
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is a page", page)
				}
			}()
			Must(page)
		}()
	}
	for _, page := range []string{"{{.Colour}}", "{{.Title.Part}}", "{{.Words.right}}", "{{range .Title}}x{{end}}", "{{.Last.Name}}"} {
		if got, err := Must(page).Fill(view{Title: "x"}); err == nil {
			t.Errorf("%s is filled in as %s", page, got)
		}
	}
}
