// SPDX-License-Identifier: Apache-2.0

// Makes templates and data from a seed, runs them with Go's text/template and Helm's functions, and prints what came
// out, as test/gotemplate/replay reads it. With -file it reads templates (separated by "\n----\n") instead.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strings"
	"text/template"
	"time"
	_ "unsafe" // for linkname

	"helm.sh/helm/v3/pkg/engine"
)

//go:linkname initFunMap helm.sh/helm/v3/pkg/engine.Engine.initFunMap
func initFunMap(e engine.Engine, t *template.Template)

//go:linkname funcMap helm.sh/helm/v3/pkg/engine.funcMap
func funcMap() template.FuncMap

var helmSet *template.Template

func execute(kind, text string, data any) (out string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	t := template.New("gotpl")
	if kind == "helm" {
		// Made once for all that can't call back into the set.
		if strings.Contains(text, "include") || strings.Contains(text, "tpl") {
			initFunMap(engine.Engine{}, t)
		} else {
			if helmSet == nil {
				helmSet = template.New("gotpl")
				initFunMap(engine.Engine{}, helmSet)
			}
			t = template.Must(helmSet.Clone())
		}
		t.Option("missingkey=zero") // which Clone does not take along
	}
	if t, err = t.New("t").Parse(text); err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, data)
	return b.String(), err
}

type writer struct{ *bufio.Writer }

func (w writer) field(letter byte, text string) {
	fmt.Fprintf(w, "%c %d\n%s\n", letter, len(text), text)
}

func (w writer) record(kind, text string, data any) {
	encoded, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	var decoded any
	if err := json.Unmarshal(encoded, &decoded); err != nil {
		panic(err)
	}
	out, err := execute(kind, text, decoded)
	w.field('F', kind)
	w.field('T', text)
	w.field('D', string(encoded))
	if err != nil {
		w.field('E', err.Error())
	} else {
		w.field('O', out)
	}
	w.WriteByte('\n')
}

// Each function by name: that it is there, and how many arguments it takes.
func (w writer) arities(kind string) {
	for _, name := range allNames() {
		w.record(kind, "{{ if false }}{{ "+name+" }}{{ end }}", nil)
		w.record(kind, "{{ "+name+strings.Repeat(" nil", 9)+" }}", nil)
	}
	w.record(kind, "{{ env }}", nil)
	w.record(kind, "{{ expandenv }}", nil)
}

func allNames() []string {
	names := []string{"and", "call", "html", "index", "js", "len", "not", "or", "print", "printf", "println", "urlquery",
		"eq", "ge", "gt", "le", "lt", "ne"}
	for name := range funcMap() {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func main() {
	kind := flag.String("kind", "helm", "text: the language's own functions; helm: all that Helm offers")
	count := flag.Int("count", 1000, "how many")
	seed := flag.Int64("seed", time.Now().UnixNano(), "what they are made from")
	only := flag.String("only", "", "comma list of functions to call, instead of all")
	file := flag.String("file", "", "templates to run instead")
	calls := flag.Bool("calls", false, "single calls of functions only, no statements")
	flag.Parse()
	time.Local = time.UTC
	out := writer{bufio.NewWriterSize(os.Stdout, 1<<20)}
	defer out.Flush()
	if *file != "" {
		text, err := os.ReadFile(*file)
		if err != nil {
			panic(err)
		}
		g := newGenerator(*kind, 1, nil)
		for _, t := range strings.Split(string(text), "\n----\n") {
			out.record(*kind, strings.TrimSuffix(t, "\n"), g.data(false))
		}
		return
	}
	var names []string
	if *only != "" {
		names = strings.Split(*only, ",")
		sort.Strings(names)
	}
	fmt.Fprintf(os.Stderr, "oracle: -kind %s -seed %d -count %d\n", *kind, *seed, *count)
	g := newGenerator(*kind, *seed, names)
	if *calls {
		out.arities(*kind)
	}
	for i := 0; i < *count; i++ {
		if *calls {
			out.record(*kind, "{{ "+g.call(2)+" }}", g.data(true))
		} else {
			out.record(*kind, g.template(), g.data(true))
		}
	}
}

func newGenerator(kind string, seed int64, only []string) *generator {
	g := &generator{Rand: rand.New(rand.NewSource(seed)), kind: kind}
	g.learn(only)
	return g
}
