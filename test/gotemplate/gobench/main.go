// SPDX-License-Identifier: Apache-2.0

// Renders the templates of a folder with Go's text/template and Helm's functions for a while and prints how many nanoseconds
// parsing and rendering take, and rendering alone. With -show it prints the output instead.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"
	"time"
	_ "unsafe" // for linkname

	"helm.sh/helm/v3/pkg/engine"
)

//go:linkname initFunMap helm.sh/helm/v3/pkg/engine.Engine.initFunMap
func initFunMap(e engine.Engine, t *template.Template)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func parse(texts map[string]string, names []string) *template.Template {
	t := template.New("gotpl").Option("missingkey=zero")
	initFunMap(engine.Engine{}, t)
	for _, name := range names {
		template.Must(t.New(name).Parse(texts[name]))
	}
	return t
}

func render(t *template.Template, names []string, data any) string {
	var out strings.Builder
	for _, name := range names {
		if !strings.HasPrefix(name, "_") {
			must(t.ExecuteTemplate(&out, name, data))
		}
	}
	return out.String()
}

func measure(budget time.Duration, work func()) float64 {
	best := 0.0
	for end := time.Now().Add(budget); time.Now().Before(end); {
		begin, n := time.Now(), 0
		for ; time.Since(begin) < budget/20; n++ {
			work()
		}
		if ns := float64(time.Since(begin).Nanoseconds()) / float64(n); best == 0 || ns < best {
			best = ns
		}
	}
	return best
}

func main() {
	seconds := flag.Float64("seconds", 3, "for each of the two")
	show := flag.Bool("show", false, "print the output")
	flag.Parse()
	folder := flag.Arg(0)
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	must(err)
	texts, names := map[string]string{}, []string{}
	var data any
	for _, file := range files {
		bytes, err := os.ReadFile(file)
		must(err)
		if filepath.Base(file) == "values.json" {
			must(json.Unmarshal(bytes, &data))
			continue
		}
		names = append(names, filepath.Base(file))
		texts[filepath.Base(file)] = string(bytes)
	}
	sort.Strings(names)
	t := parse(texts, names)
	if *show {
		fmt.Print(render(t, names, data))
		return
	}
	budget := time.Duration(*seconds * float64(time.Second))
	whole := measure(budget, func() { render(parse(texts, names), names, data) })
	again := measure(budget, func() { render(t, names, data) })
	fmt.Printf("%.0f %.0f\n", whole, again)
}
