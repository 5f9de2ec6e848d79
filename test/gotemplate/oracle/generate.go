// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand"
	"reflect"
	"sort"
	"strings"
)

// What can't be equal from one run to the next: random, of the present time, or a map's order. Unit tests check these by
// their properties.
var unrepeatable = map[string]bool{"ago": true, "now": true, "randAlpha": true, "randAlphaNum": true, "randAscii": true,
	"randBytes": true, "randInt": true, "randNumeric": true, "shuffle": true, "uuidv4": true, "keys": true, "values": true,
	"bcrypt": true, "htpasswd": true, "encryptAES": true, "genCA": true, "genCAWithKey": true, "genPrivateKey": true,
	"genSelfSignedCert": true, "genSelfSignedCertWithKey": true, "genSignedCert": true, "genSignedCertWithKey": true,
	"buildCustomCert": true, "durationRound": true,
	// Of a value that is no time they take the present.
	"date": true, "dateInZone": true, "date_in_zone": true, "htmlDate": true, "htmlDateInZone": true,
	// Slow: scrypt.
	"derivePassword": true,
}

type function struct {
	name     string
	params   []reflect.Type
	variadic bool
}

type generator struct {
	*rand.Rand
	kind      string
	functions []function
	mixed     bool // calls from special(), too
	vars      []string
	depth     int
	inRange   int
	defined   int
}

func (g *generator) learn(only []string) {
	all := map[string]any{}
	anyType := reflect.TypeFor[any]()
	str := reflect.TypeFor[string]()
	builtin := func(name string, variadic bool, params ...reflect.Type) {
		g.functions = append(g.functions, function{name, params, variadic})
	}
	for _, name := range []string{"eq", "index", "slice", "and", "or"} {
		if name == "slice" && g.kind == "helm" {
			continue
		}
		builtin(name, true, anyType, anyType)
	}
	for _, name := range []string{"ne", "lt", "le", "gt", "ge"} {
		builtin(name, false, anyType, anyType)
	}
	builtin("not", false, anyType)
	builtin("len", false, anyType)
	for _, name := range []string{"print", "println", "html", "js", "urlquery"} {
		builtin(name, true, anyType)
	}
	builtin("printf", true, str, anyType)
	if g.kind == "helm" {
		all = funcMap()
	}
	for name, f := range all {
		t := reflect.TypeOf(f)
		fn := function{name: name, variadic: t.IsVariadic()}
		for i := 0; i < t.NumIn(); i++ {
			p := t.In(i)
			if fn.variadic && i == t.NumIn()-1 {
				p = p.Elem()
			}
			fn.params = append(fn.params, p)
		}
		g.functions = append(g.functions, fn)
	}
	g.mixed = only == nil
	kept := g.functions[:0]
	for _, fn := range g.functions {
		wanted := !unrepeatable[fn.name]
		if only != nil {
			i := sort.SearchStrings(only, fn.name)
			wanted = wanted && i < len(only) && only[i] == fn.name
		}
		if wanted {
			kept = append(kept, fn)
		}
	}
	g.functions = kept
	sort.Slice(g.functions, func(i, j int) bool { return g.functions[i].name < g.functions[j].name })
}

func (g *generator) pick(of ...string) string { return of[g.Intn(len(of))] }

// One in n.
func (g *generator) one(n int) bool { return g.Intn(n) == 0 }

var words = []string{"", "a", "b", "hello", "Hello World", "foo bar baz", "a,b,c", "a b c", "x=1", "1", "0", "-1", "1.5",
	"true", "false", "null", "3.0.0", "v1.2.3-rc.1+meta", ">=1.2 <2", "~1.2", "^1.0.0-0", "2001-01-02", "1h30m", "0x1F",
	"1e3", "é", "日本語", "Ünïcode Straße", "FooBarBaz", "HTTPServer", "some_snake_case", "kebab-case-here", "  trim me  ",
	"line1\nline2\n", "\ttab", "a\"quote\"", "it's", "<b>&amp;</b>", "{\"a\":1,\"b\":[1,2,{\"c\":null}]}", "[1,\"x\",true]",
	"a: 1\nb:\n- x\n- y: z\n", "- 1\n- two\n", "key: [unclosed", "{bad json", "https://user:pw@example.com:8080/p/a?q=1&r=2#frag",
	"/usr/local/../bin/file.tar.gz", "a/b/c", "../x", "aGVsbG8=", "NBSWY3DP", "not base64!", "[a-z]+", "(\\w+)\\s(\\w+)", "a|b*",
	"(unclosed", "$2 $1", "${1}x", "%s-%d", "%v %v", "%5.2f|%-8s|%q", "name", "nested", "abcdefghijklmnopqrstuvwxyz0123456789",
	"UPPER", "mixedCase9Word", "a.b.c", "x-y_z", "100%", "\\d+", "^a", "$", "1_000", "08", "0o17", "1e100", "NaN", ".5", "5.", "+5",
	"[section]\nkey = \"v\"\n", "x = 1\ny = [1, 2]\n", "*", "yes", "~", "# no comment", "a: b", "- dash", "'single'", "multi\n\n  indented\nend"}

func quoted(s string) string {
	if !strings.ContainsAny(s, "`") && len(s)%2 == 0 {
		return "`" + s + "`"
	}
	return fmt.Sprintf("%q", s)
}

var fragments = []string{" ", " ", "\n", ":", ": ", "#", " #", "-", "- ", "'", "\"", "\\", "é", "\t", "a", "b", "word", "1", "0", ".", ",", "{", "}", "[", "]", "&", "*",
	"|", ">", "%", "@", "~", "?", "=", "/", "_", "true", "null", "日", "\u00a0", "\U0001F600", "longerword", "x: y", "\r", "<", "$", "("}

func (g *generator) str() string {
	if !g.one(8) {
		return quoted(words[g.Intn(len(words))])
	}
	var b strings.Builder
	for n := 1 + g.Intn(1+g.Intn(40)); n > 0; n-- {
		b.WriteString(fragments[g.Intn(len(fragments))])
	}
	return fmt.Sprintf("%q", b.String())
}

func (g *generator) integer() string {
	return fmt.Sprint([]int{0, 1, 2, 3, 4, 5, 7, 10, 12, -1, -2, -5, 20, 100, 1000000}[g.Intn(15)])
}

func (g *generator) number() string {
	return g.pick("0", "1", "2", "3", "-1", "10", "1.5", "0.1", "2.5", "-0.5", "1e3", "1000000", "1.0", "1e21", "123456789", "0x10", "1e-7", "'a'", "017", "3.14159")
}

func (g *generator) field() string {
	return g.pick(".s", ".n", ".f", ".b", ".nul", ".l", ".m", ".m.a", ".m.b", ".m.c.d", ".ls", ".ln", ".big", ".missing", ".e", ".em", ".el",
		".t", ".u", ".lm", ".missing.deeper", ".s.x", ".", "$", "$.s", "$.m")
}

func (g *generator) anything(depth int) string {
	switch g.Intn(12) {
	case 0, 1:
		return g.str()
	case 2:
		return g.number()
	case 3:
		return g.pick("true", "false", "nil", "nil")
	case 4, 5, 6:
		return g.field()
	case 7:
		if len(g.vars) > 0 {
			return g.vars[g.Intn(len(g.vars))] + g.pick("", "", "", ".a", ".x.y")
		}
		return g.field()
	case 8:
		if g.kind == "helm" && depth > 0 {
			return g.list(depth)
		}
		return g.field()
	case 9:
		if g.kind == "helm" && depth > 0 {
			return g.dict(depth)
		}
		return g.number()
	default:
		if depth > 0 {
			return "(" + g.pipeline(depth-1) + ")" + g.pick("", "", "", "", ".a", ".b.c")
		}
		return g.field()
	}
}

func (g *generator) list(depth int) string {
	parts := []string{"list"}
	for n := g.Intn(5); n > 0; n-- {
		parts = append(parts, g.anything(depth-1))
	}
	return "(" + strings.Join(parts, " ") + ")"
}

func (g *generator) dict(depth int) string {
	parts := []string{"dict"}
	for n := g.Intn(4); n > 0; n-- {
		parts = append(parts, quoted(g.pick("a", "b", "c", "name", "x", "z10", "z9")), g.anything(depth-1))
	}
	return "(" + strings.Join(parts, " ") + ")"
}

// argument is an expression that mostly has the type.
func (g *generator) argument(t reflect.Type, depth int) string {
	if g.one(15) {
		return g.anything(depth)
	}
	switch t.Kind() {
	case reflect.String:
		if depth > 0 && g.one(4) {
			return g.pick(".s", ".e", ".u", `(print `+g.anything(depth-1)+`)`)
		}
		return g.str()
	case reflect.Int:
		return g.integer()
	case reflect.Bool:
		return g.pick("true", "false", ".b", "(not "+g.anything(0)+")")
	case reflect.Float64:
		return g.number()
	case reflect.Map:
		if g.kind == "helm" && depth > 0 {
			return g.pick(".m", ".em", "(deepCopy .m)", g.dict(depth), "(dict)")
		}
		return ".m"
	case reflect.Slice:
		return g.pick(".l", ".ls", g.list(1))
	case reflect.Interface:
		if g.one(3) {
			return g.pick(".l", ".ls", ".ln", ".lm", ".m", ".s", ".n")
		}
		return g.anything(depth)
	case reflect.Struct:
		return g.pick(`(toDate "2006-01-02" "2020-03-04")`, `(toDate "2006-01-02T15:04:05Z07:00" "1999-12-31T23:59:59+02:00")`)
	default:
		return g.anything(depth)
	}
}

var layouts = []string{"2006-01-02", "2006-01-02T15:04:05Z07:00", "Jan _2 15:04:05 2006", "Monday, 02-Jan-06 15:04:05 MST", "20060102150405",
	"3:04PM", "02 Jan 06 15:04 -0700", "2006-01-02 15:04:05.000", "15h04m05s.999", "__2 002 2006", "January 2, 2006 at 3:04pm (MST)", "06/1/2 05,000 Z0700",
	"x2006x", "Mon Jan 2", "", "-07:00:00 Z070000 -07", "_2006"}

var dates = []string{"2020-02-29", "2021-02-29", "2020-01-02T03:04:05Z", "1999-12-31T23:59:59+02:00", "Jan  5 01:02:03 2021", "3:04PM", "12:00AM",
	"Tuesday, 05-Jan-21 10:11:12 UTC", "20210105101112", "02 Jan 06 15:04 -0700", "2021-13-01", "2021-01-02 25:00:00.123", "10:11:12.5", "  5 005 2021",
	"January 5, 2021 at 3:04pm (CET)", "hello", "", "2021-01-02T03:04:05.123456789Z", "366 366 2020"}

var durations = []string{"1h", "-1h30m", "1.5s", "100ms", "2h45m30.5s", "0", "", "1", "1x", "1.s", ".5h", "24h0m1s", "9223372036854775807ns",
	"9999999999h", "+5m", "1us", "1µs", "-0", "100000h"}

func (g *generator) of(list []string) string { return quoted(list[g.Intn(len(list))]) }

// special is a call whose arguments only make sense together.
func (g *generator) special() string {
	seconds := g.pick("0", "1", "-1", "1700000000", "951782400", "-62135596800", "4102444800", "86399", "1582934400")
	switch g.Intn(14) {
	case 0:
		return "date " + g.of(layouts) + " " + seconds
	case 1:
		return "dateInZone " + g.of(layouts) + " (int64 " + quoted(seconds) + `) "UTC"`
	case 2:
		return "toDate " + g.of(layouts) + " " + g.of(dates) + " | date " + g.of(layouts)
	case 3:
		return "mustToDate " + g.of(layouts) + " " + g.of(dates)
	case 4:
		return "dateModify " + g.of(durations) + ` (toDate "2006-01-02" "2020-02-28") | date "2006-01-02 15:04:05.999999999"`
	case 5:
		return "mustDateModify " + g.of(durations) + ` (toDate "2006-01-02" "2020-02-28")`
	case 6:
		return "duration " + g.pick(`"90"`, `"3600"`, `"-1"`, `"x"`, "(int64 3661)", "5", `"86400"`, `""`)
	case 7:
		return "durationRound " + g.pick(g.of(durations), "(int64 1000000001)", "(int64 -3600000000001)", "3", "(mul 86400000000000 400)")
	case 8:
		return "(toDate " + g.of(layouts) + " " + g.of(dates) + ")." + g.pick("Unix", "Year", "YearDay", "Weekday", "UTC", "IsZero", "String",
			"AddDate 0 1 1", `Format "Mon 2"`, "Hour", "UnixNano", "Missing")
	case 9:
		v := g.of([]string{"1.2.3", "v1.2", "1.2.3-rc.1+b.5", "1", "x", "1.2.3-01", "1.2.3+", "1.0.0+a..b", "10.20.30-alpha"})
		return g.pick("semver "+v, "(semver "+v+")."+g.pick("Major", "Minor", "Patch", "Prerelease", "Metadata", "Original", "String"),
			"(semver "+v+`).Compare (semver "1.2.2")`, "semver "+v+" | toJson")
	case 10:
		return "semverCompare " + g.of([]string{">=1.2 <2", "^1.2.3", "~1.2", "1.x", ">=1.20-0", "1.2 - 1.4", "!=1.2.3", ">1 || <0.5", "=1.2.3+b", "*", "", "a", ">=1.0 ||"}) +
			" " + g.of([]string{"1.2.3", "v1.4.5", "1.20.3-gke.1", "2.0.0", "0.4", "1.2.3+x", "bad"})
	case 11:
		return g.pick("toYaml ", "toYamlPretty ", "toToml ", "toJson ", "toPrettyJson ", "toRawJson ") + g.pick("$", ".", ".m", ".l", ".lm", ".n", ".f", g.dict(2), g.list(2),
			"(dict "+g.str()+" "+g.str()+" "+g.str()+" (list "+g.str()+" "+g.str()+"))", "(list (list 1 2) (dict "+g.str()+" (list (dict "+g.str()+" 1))))", g.str())
	case 12:
		return g.pick("fromYaml ", "fromYamlArray ", "fromJson ", "fromJsonArray ", "fromToml ", "mustFromJson ") + g.of(documents) + g.pick("", " | toJson", " | toYaml")
	default:
		return g.pick("regexFind ", "regexMatch ", "mustRegexFind ", "regexReplaceAll ", "regexSplit ", "regexFindAll ") + g.of(patterns) + " " + g.str() + " " + g.pick("-1", "1", "2", g.of(replacements))
	}
}

var documents = []string{"a: 1\nb: [x, y]\n", "- 1\n- {a: b}\n", "a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: 2\n", "on: yes\ny: 017\n1: 0x1F\n1.5: ~\n", "a: [", "a: b: c", "a:\n\t- b",
	"---\na: 1\n---\nb: 2\n", "x: 2001-01-01\ny: 1_000\nz: 1e3\nw: .5\n", "a: |\n  text\n  more\nb: >-\n  folded\n  line\n", "\"quoted\\u00e9\": 'it''s'", "a: 1\na: 2\n", "", "null", "42", "text",
	"{a: 1, b: }", "a: *nope", "*x", "a: !!str 5\nb: !!int \"3\"\n", "k: 12345678901234567890\nl: 0o17\nm: 190:20:30\n", "[1, 2", "{\"a\":1e400}", "{\"a\":\"\\ud83d\\ude00\",\"b\":[]}", "{\"a\" 1}",
	"{\"a\":tru}", "[1,]", "\"\\x\"", "a = 1\nb = \"x\"\n[c]\nd = [1, 2.5]\n[[e]]\nf = true\n[[e]]\nf = false\n", "a.b.c = 1\na.d = 'raw'\n", "t = {x = 1, y = \"z\"}\n", "n = 1_000\nh = 0xff\ne = 1e6\ni = inf\n",
	"s = \"\"\"\nmulti\nline\"\"\"\n", "a = 1\na = 2\n", "? complex\n: value\n", "%YAML 1.1\n---\na: b\n", "a: 'unterminated", "a: \"bad \\q\"", "- a\nb: c", "key: - x"}

var patterns = []string{"a+", "(a)(b)?", "^\\s*", "[^a-z]", "\\bfoo\\b", "(?i)HELLO", "(?P<n>\\w)(?P<m>\\d)", "(?<n>x)", "x*", "", "(", ")", "[", "*", "a**", "\\", "\\q", "(?P<1>a)", "[z-a]", "a{2,1}", "a{1001}", "(?x)",
	"\\p{Greek}", "\\pX", "[[:alpha:]]+", "[[:foo:]]", "\\Qa.b\\E", "(?:a|b)+?", "$", "\\z", "(?s).", "(?m)^", "\\1", "(?=a)", "(?!a)", "a|", "\\x{10FFFF}", "[\\d-z]", "é+", "a{,2}"}

var replacements = []string{"$1", "${1}x", "$n", "$$", "", "[$0]", "$1x", "${n}", "$", "\\1", "${", "$2$1"}

func (g *generator) call(depth int) string {
	if g.kind == "helm" && g.mixed && g.one(6) {
		return g.special()
	}
	fn := g.functions[g.Intn(len(g.functions))]
	parts := []string{fn.name}
	for i, p := range fn.params {
		n := 1
		if fn.variadic && i == len(fn.params)-1 {
			n = g.Intn(4)
		}
		if fn.name == "repeat" && i == 0 {
			parts = append(parts, g.pick("0", "1", "2", "3", "-1"))
			continue
		}
		if strings.HasPrefix(fn.name, "until") || fn.name == "seq" || strings.HasSuffix(fn.name, "ndent") && i == 0 {
			parts = append(parts, g.pick("0", "1", "2", "3", "-2", "10", "7"))
			continue
		}
		// What is changed is fresh, and merged of parts that hold nothing else: Go's fmt does not come back from a dict that
		// holds itself.
		if fn.name == "set" && i == 0 || fn.name == "unset" && i == 0 || strings.Contains(strings.ToLower(fn.name), "merge") {
			for ; n > 0; n-- {
				parts = append(parts, g.pick("(deepCopy .m)", "(dict)", `(dict "a" 1 "b" (dict "x" 0))`, `(dict "c" (dict "d" .s "y" .ls) "a" "")`,
					`(dict "b" nil "z9" 5 "c" 1)`))
			}
			continue
		}
		for ; n > 0; n-- {
			parts = append(parts, g.argument(p, depth-1))
		}
	}
	if g.one(60) {
		parts = append(parts, g.anything(0))
	}
	return strings.Join(parts, " ")
}

func (g *generator) command(depth int) string {
	if depth > 0 && !g.one(4) {
		return g.call(depth)
	}
	return g.anything(depth)
}

func (g *generator) pipeline(depth int) string {
	text := g.command(depth)
	for g.one(4) && depth > 0 {
		call := strings.Split(g.call(1), " ")
		// Leave the last argument to the pipe, mostly.
		if len(call) > 1 && !strings.ContainsAny(strings.Join(call, ""), "`\"(") {
			call = call[:len(call)-1]
		}
		text += " | " + strings.Join(call, " ")
	}
	return text
}

func (g *generator) open() string  { return g.pick("{{", "{{", "{{ ", "{{- ") }
func (g *generator) close() string { return g.pick("}}", "}}", " }}", " -}}") }

func (g *generator) action(text string) string { return g.open() + text + g.close() }

func (g *generator) statements(n int) string {
	var b strings.Builder
	for ; n > 0; n-- {
		b.WriteString(g.statement())
		b.WriteString(g.pick("", " ", "\n", "text", "\n  "))
	}
	return b.String()
}

func (g *generator) block(head string) string {
	g.depth++
	vars := len(g.vars)
	defer func() { g.depth--; g.vars = g.vars[:vars] }()
	text := g.action(head) + g.statements(1+g.Intn(2))
	if g.one(3) {
		text += g.action("else") + g.statements(1)
	}
	return text + g.action("end")
}

func (g *generator) rangeBlock() string {
	vars := len(g.vars)
	defer func() { g.vars = g.vars[:vars] }()
	over := g.pick(".l", ".m", ".ls", ".lm", "3", ".n", ".em", ".nul", g.pipeline(1))
	head := "range " + over
	switch g.Intn(3) {
	case 0:
		head = "range $e := " + over
		g.vars = append(g.vars, "$e")
	case 1:
		head = "range $k, $v := " + over
		g.vars = append(g.vars, "$k", "$v")
	}
	g.inRange++
	defer func() { g.inRange-- }()
	return g.block(head)
}

func (g *generator) statement() string {
	if g.depth > 3 {
		return g.action(g.pipeline(1))
	}
	switch g.Intn(16) {
	case 0:
		return g.block("if " + g.pipeline(2))
	case 1:
		return g.block("with " + g.pipeline(1))
	case 2:
		return g.rangeBlock()
	case 3:
		name := g.pick("$a", "$b", "$x")
		text := g.action(name + " := " + g.pipeline(2))
		g.vars = append(g.vars, name)
		return text
	case 4:
		if len(g.vars) > 0 {
			return g.action(g.vars[g.Intn(len(g.vars))] + " = " + g.pipeline(1))
		}
		return g.pick("{{/* a comment */}}", "{{- /* trimmed */ -}}", "plain")
	case 5:
		if g.inRange > 0 {
			return g.action(g.pick("break", "continue"))
		}
		return "text"
	case 6:
		return g.action(g.pick(`template "d0" .`, `template "d1" .m`, `template "d0"`, `template "none" .`, `block "blk" .`)) // a block is left open
	case 7:
		if g.kind == "helm" {
			return g.action(g.pick(`include "d0" .`, `include "d1" .m | indent 2`, `tpl "{{ .s }}-{{ .n }}" .`, `tpl .t $`, `include "none" .`,
				`tpl "{{ define \"x\" }}in{{ end }}{{ include \"x\" . }}" .`, `required "need it" .missing`, `required "r" .s`))
		}
		return "more"
	default:
		return g.action(g.pipeline(2))
	}
}

func (g *generator) template() string {
	g.vars, g.depth, g.inRange = g.vars[:0], 0, 0
	text := ""
	if g.one(3) {
		text += `{{ define "d0" }}[d0 {{ .s }}]{{ end }}{{- define "d1" }}[d1 {{ . }} {{ .a }}]{{ end -}}` + "\n"
	}
	text += g.statements(1 + g.Intn(3))
	if g.one(12) && len(text) > 4 {
		// A fault somewhere.
		at := g.Intn(len(text))
		text = text[:at] + g.pick("", "}", "{{", "(", ")", "\"", "|", ".", "$", ":=", "end", "- ", "#") + text[at+g.Intn(len(text)-at)/8:]
	}
	return text
}

func (g *generator) data(vary bool) map[string]any {
	data := map[string]any{
		"s": "hello", "n": 3, "f": 1.5, "b": true, "nul": nil, "l": []any{"x", 2, true, nil, 1.5}, "ls": []any{"b", "a", "c", "a"},
		"ln": []any{3, 1, 2}, "m": map[string]any{"a": "A", "b": []any{1, 2}, "c": map[string]any{"d": "deep", "e": nil}, "z10": 1, "z9": 0},
		"big": 1234567, "e": "", "em": map[string]any{}, "el": []any{}, "t": "T={{ .s }}", "u": "https://example.com/a?b=c",
		"lm": []any{map[string]any{"a": 1}, map[string]any{"a": "two", "b": false}},
	}
	if vary {
		data["s"] = words[g.Intn(len(words))]
		data["n"] = []any{0, 1, 2, 3, 5, -1, 1e6, 1e21, 12345678}[g.Intn(9)]
		data["f"] = []any{0.1, 1.5, 2.0, -3.25, 1e-7, 123456.789}[g.Intn(6)]
		data["b"] = g.one(2)
		data["m"].(map[string]any)["a"] = words[g.Intn(len(words))]
	}
	return data
}
