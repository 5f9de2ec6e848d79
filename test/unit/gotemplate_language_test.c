/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate_world.h"

static const char values[] = "{\"a\":1,\"s\":\"hello\",\"f\":1048576,\"h\":0.5,\"l\":[\"x\",2,null]"
                             ",\"m\":{\"k\":\"v\",\"b\":{}},"
                             "\"nul\":null,\"t\":true,\"lm\":[{\"n\":1},{\"n\":2}]}";

static const render_row rows[] = {
    {"text stays as it is", "plain\n{ } }}", values, "plain\n{ } }}", NULL},
    {"trim markers take the white space around", "a \n{{- 1 -}}\n b", values, "a1b", NULL},
    {"a minus without a blank is a sign", "{{-3}}", values, "-3", NULL},
    {"a comment makes nothing", "a{{/* x }} y */}}b{{- /* z */ -}} c", values, "abc", NULL},
    {"a comment may not follow a blank", "{{ /* x */}}", values, NULL,
     "template: t:1: unexpected \"/\" in command"},
    {"numbers from data are reals", "{{ .a }} {{ .f }} {{ .h }}", values, "1 1.048576e+06 0.5",
     NULL},
    {"literals keep their kinds",
     "{{ 3 }} {{ 3.0 }} {{ 1e3 }} {{ 0x1F }} {{ 017 }} {{ 1_000 }} {{ 'a' }}", values,
     "3 3 1000 31 15 1000 97", NULL},
    {"a complex number prints as Go's", "{{ 1+2i }} {{ 1i | print }}", values, "(1+2i) (0+1i)",
     NULL},
    {"strings unquote", "{{ \"a\\tb\\x41\\u00e9\" }}{{ `raw\\n` }}", values, "a\tbA\xc3\xa9raw\\n",
     NULL},
    {"maps print in key order", "{{ .m }} {{ .l }}", values, "map[b:map[] k:v] [x 2 <nil>]", NULL},
    {"a missing key is no value", "{{ .missing }} {{ print nil }}", values, "<no value> <nil>",
     NULL},
    {"a field of nothing is an error", "{{ .missing.b }}", values, NULL,
     "template: t:1:11: executing \"t\" at <.missing.b>: nil pointer evaluating interface {}.b"},
    {"parentheses make nothing untyped", "{{ (.missing).foo }}{{ ((.missing).foo).bar }}", values,
     "<no value><no value>", NULL},
    {"a string has no fields", "{{ .s.x }}", values, NULL,
     "can't evaluate field x in type interface {}"},
    {"a variable lives to the end of its block",
     "{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $y := 3 }}{{ end }}{{ $x }}", values, "2", NULL},
    {"a variable of a block is gone behind it", "{{ if true }}{{ $y := 3 }}{{ end }}{{ $y }}",
     values, NULL, "template: t:1: undefined variable \"$y\""},
    {"a variable of the other branch is undefined",
     "{{ if false }}{{ $a := 1 }}{{ else }}{{ $a }}{{ end }}", values, NULL,
     "undefined variable: $a"},
    {"if chooses", "{{ if .nul }}a{{ else if .t }}b{{ else }}c{{ end }}", values, "b", NULL},
    {"with moves the dot",
     "{{ with .m }}{{ .k }}{{ else }}none{{ end }}{{ with .nul }}x{{ else with .s }}{{ . }}{{ end "
     "}}",
     values, "vhello", NULL},
    {"range goes over lists", "{{ range $i, $e := .l }}{{ $i }}={{ $e }};{{ end }}", values,
     "0=x;1=2;2=<no value>;", NULL},
    {"range goes over maps in order", "{{ range $k, $v := .m }}{{ $k }}:{{ $v }} {{ end }}", values,
     "b:map[] k:v ", NULL},
    {"range goes over a number",
     "{{ range 3 }}{{ . }}{{ end }}{{ range $i := 2 }}{{ $i }}{{ end }}", values, "01201", NULL},
    {"range of nothing takes the else list", "{{ range .nul }}x{{ else }}none{{ end }}", values,
     "none", NULL},
    {"range of a string is an error", "{{ range .s }}x{{ end }}", values, NULL,
     "range can't iterate over hello"},
    {"break and continue",
     "{{ range 5 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . "
     "}}{{ end }}",
     values, "02", NULL},
    {"break needs a range", "{{ break }}", values, NULL, "{{break}} outside {{range}}"},
    {"templates see only their data",
     "{{ define \"x\" }}[{{ . }}{{ $ }}]{{ end }}{{ template \"x\" .a }}", values, "[11]", NULL},
    {"a block is defined and used", "{{ block \"b\" .s }}<{{ . }}>{{ end }}", values, "<hello>",
     NULL},
    {"an unknown template is an error", "{{ template \"none\" }}", values, NULL,
     "template \"none\" not defined"},
    {"two definitions clash", "{{ define \"x\" }}1{{ end }}{{ define \"x\" }}2{{ end }}", values,
     NULL, "multiple definition of template \"x\""},
    {"a blank definition gives way",
     "{{ define \"x\" }} {{ end }}{{ define \"x\" }}2{{ end }}{{ template \"x\" }}", values, "2",
     NULL},
    {"a pipe brings the last argument", "{{ 2 | printf \"%d-%d\" 1 }}", values, "1-2", NULL},
    {"a value is no function", "{{ 1 | 2 }}", values, NULL,
     "non executable command in pipeline stage 2"},
    {"an unknown function is an error", "{{ nope 1 }}", values, NULL,
     "template: t:1: function \"nope\" not defined"},
    {"and, or give the deciding argument", "{{ and 1 0 2 }} {{ or 0 \"x\" }} {{ or false nil 0 }}",
     values, "0 x 0", NULL},
    {"and does not go on", "{{ and false (fail \"no\") }}", values, "false", NULL},
    {"kinds of numbers don't compare", "{{ eq .a 1 }}", values, NULL,
     "incompatible types for comparison: float64 and int"},
    {"eq takes any of many", "{{ eq 1 2 1 }} {{ eq nil nil }} {{ eq .nul 1 }}", values,
     "true true false", NULL},
    {"maps don't compare", "{{ eq .m .m }}", values, NULL, "non-comparable type"},
    {"order", "{{ lt 1 2 }}{{ le 2 2 }}{{ gt \"b\" \"a\" }}{{ ge 1.5 2.5 }}", values,
     "truetruetruefalse", NULL},
    {"booleans have no order", "{{ lt true false }}", values, NULL, "invalid type for comparison"},
    {"index walks down",
     "{{ index .l 0 }} {{ index .m \"k\" }} {{ index .lm 1 \"n\" }} {{ index \"abc\" 1 }}", values,
     "x v 2 98", NULL},
    {"index past the end", "{{ index .l 20 }}", values, NULL,
     "error calling index: index out of range: 20"},
    {"index of nothing", "{{ index .nul 1 }}", values, NULL, "index of untyped nil"},
    {"len", "{{ len .s }} {{ len .l }} {{ len .m }}", values, "5 3 2", NULL},
    {"html, js, urlquery", "{{ html \"<a&'>\" }} {{ js \"it's\\n\" }} {{ urlquery \"a b&c\" }}",
     values, "&lt;a&amp;&#39;&gt; it\\'s\\u000A a+b%26c", NULL},
    {"print parts what is no string", "{{ print 1 2 \"a\" \"b\" 3 }}|{{ println 1 \"a\" }}", values,
     "1 2ab3|1 a\n", NULL},
    {"too few arguments", "{{ printf }}", values, NULL,
     "wrong number of args for printf: want at least 1 got 0"},
    {"too many arguments", "{{ upper \"a\" \"b\" 1 }}", values, NULL,
     "wrong number of args for upper: want 1 got 3"},
    {"a literal of the wrong type", "{{ upper 1 }}", values, NULL, "expected string; found 1"},
    {"a value of the wrong type", "{{ upper .a }}", values, NULL,
     "wrong type for value; expected string; got float64"},
    {"a nil for a string", "{{ upper (nil | print | len) }}", values, NULL, "nil is not a command"},
    {"a null slot for a map", "{{ hasKey .nul \"a\" }}", values, NULL,
     "wrong type for value; expected map[string]interface {}; got interface {}"},
    {"positions are those of the node", "a\n\n  {{ .m.k.z }}", values, NULL,
     "template: t:3:7: executing \"t\" at <.m.k.z>"},
    {"an action may span lines", "{{ if\n .t\n}}x{{ end }}", values, "x", NULL},
    {"an action must end", "a\n{{ .x", values, NULL, "template: t:2: unclosed action"},
    {"an action that began earlier", "a\n{{ .x\n", values, NULL, "unclosed action started at t:2"},
    {"a block must end", "{{ if .t }}", values, NULL, "template: t:1: unexpected EOF"},
    {"an end too many", "{{ end }}", values, NULL, "unexpected {{end}}"},
    {"a string must end", "{{ \"a }}", values, NULL, "unterminated quoted string"},
    {"a minus is no part of a word", "{{ .a-b }}", values, NULL, "bad character U+002D '-'"},
    {"too many digits", "{{ 99999999999999999999 }}", values, NULL,
     "integer overflow: \"99999999999999999999\""},
    {"printf's verbs",
     "{{ printf \"%s|%q|%5d|%-5d|%05d|%x|%X|%t|%T|%v|%g|%.2f|%e|%c|%U\" \"a\" \"b\" 42 42 42 255 "
     "255 true 1 .l 1.5 1.005 1.5 65 65 }}",
     values, "a|\"b\"|   42|42   |00042|ff|FF|true|int|[x 2 <nil>]|1.5|1.00|1.500000e+00|A|U+0041",
     NULL},
    {"printf's mistakes print", "{{ printf \"%d %s %z %d %!\" .a 3 1 }}", values,
     "%!d(float64=1) %!s(int=3) %!z(int=1) %!d(MISSING) %!!(MISSING)", NULL},
    {"printf's leftovers print", "{{ printf \"%s\" \"a\" 1 nil }}", values,
     "a%!(EXTRA int=1, <nil>)", NULL},
    {"printf takes widths from arguments", "{{ printf \"%*d|%[2]s|%.*f\" 4 7 2 1.5 }}", values,
     "   7|%!s(int=7)|1.50", NULL},
    {"printf in Go's syntax", "{{ printf \"%#v %#v\" .l \"x\" }}", values,
     "[]interface {}{\"x\", 2, interface {}(nil)} \"x\"", NULL},
};

static void deep_nesting_is_refused(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX), out = DV_BUF_INIT(DV_BODY_MAX);

    dv_buf_adds(&text, "{{ ");
    dv_buf_fill(&text, '(', 100000);
    assert_err(render(dv_buf_cstr(&text), NULL, &out), DV_INVALID, "max expression depth exceeded");
    dv_buf_reset(&text);
    for (int i = 0; i < 100000; i++)
        dv_buf_adds(&text, "{{if 1}}");
    assert_err(render(dv_buf_cstr(&text), NULL, &out), DV_INVALID, "max expression depth exceeded");
}

static void a_set_is_run_many_times(void **state DV_UNUSED)
{
    dv_auto(dv_gotemplate) set = dv_gotemplate_new(dv_helm_functions(), NULL);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    assert_ok(
        dv_gotemplate_parse(set, DV_STR("_h.tpl"), DV_STR("{{ define \"h\" }}<{{ . }}>{{ end }}")));
    assert_ok(dv_gotemplate_parse(set, DV_STR("a"), DV_STR("{{ include \"h\" . }}")));
    assert_true(dv_gotemplate_has(set, DV_STR("h")));
    assert_false(dv_gotemplate_has(set, DV_STR("none")));
    for (int i = 0; i < 3; i++) {
        dv_auto(dv_heap) heap = dv_heap_new(TEST_MEMORY);

        assert_ok(dv_gotemplate_run(set, DV_STR("a"), dv_val_int(i), heap, NULL, &out));
    }
    assert_string_equal(dv_buf_cstr(&out), "<0><1><2>");
}

static void a_later_definition_wins_unless_blank(void **state DV_UNUSED)
{
    dv_auto(dv_gotemplate) set = dv_gotemplate_new(dv_helm_functions(), NULL);
    dv_auto(dv_heap) heap = dv_heap_new(TEST_MEMORY);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    assert_ok(dv_gotemplate_parse(set, DV_STR("1"), DV_STR("{{ define \"h\" }}one{{ end }}")));
    assert_ok(dv_gotemplate_parse(set, DV_STR("2"), DV_STR("{{ define \"h\" }}two{{ end }}")));
    assert_ok(
        dv_gotemplate_parse(set, DV_STR("3"), DV_STR("{{ define \"h\" }} {{/* */}}{{ end }}")));
    assert_ok(dv_gotemplate_run(set, DV_STR("h"), DV_NONE_VAL, heap, NULL, &out));
    assert_string_equal(dv_buf_cstr(&out), "two");
}

static void a_faulty_text_defines_nothing(void **state DV_UNUSED)
{
    dv_auto(dv_gotemplate) set = dv_gotemplate_new(dv_helm_functions(), NULL);

    assert_err(
        dv_gotemplate_parse(set, DV_STR("1"), DV_STR("{{ define \"h\" }}one{{ end }}{{ end }}")),
        DV_INVALID, "unexpected {{end}}");
    assert_false(dv_gotemplate_has(set, DV_STR("h")));
}

int main(void)
{
    dv_suite suite = {.name = "gotemplate/language"};

    dv_json_setup();
    DV_TABLE(&suite, row_renders, rows);
    DV_TEST(&suite, deep_nesting_is_refused);
    DV_TEST(&suite, a_set_is_run_many_times);
    DV_TEST(&suite, a_later_definition_wins_unless_blank);
    DV_TEST(&suite, a_faulty_text_defines_nothing);
    return dv_suite_run(&suite);
}
