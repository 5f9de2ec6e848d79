/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/selector.h"

#include "testlib.h"

static const struct row {
    const char *name, *selector, *labels;
    bool want;
} rows[] = {
    {"an empty selector takes all", "{}", "{'a':'1'}", true},
    {"an empty selector takes what has no labels", "{}", NULL, true},
    {"a label that is equal", "{'matchLabels':{'a':'1'}}", "{'a':'1','b':'2'}", true},
    {"a label that differs", "{'matchLabels':{'a':'1'}}", "{'a':'2'}", false},
    {"a label that is absent", "{'matchLabels':{'a':'1'}}", NULL, false},
    {"all labels must hold", "{'matchLabels':{'a':'1','b':'2'}}", "{'a':'1'}", false},
    {"a label that is no text", "{'matchLabels':{'a':1}}", "{'a':'1'}", false},
    {"in", "{'matchExpressions':[{'key':'a','operator':'In','values':['1','2']}]}", "{'a':'2'}",
     true},
    {"not among those", "{'matchExpressions':[{'key':'a','operator':'In','values':['1']}]}",
     "{'a':'2'}", false},
    {"not in", "{'matchExpressions':[{'key':'a','operator':'NotIn','values':['1']}]}", "{'a':'2'}",
     true},
    {"not in holds for what is absent",
     "{'matchExpressions':[{'key':'a','operator':'NotIn','values':['1']}]}", NULL, true},
    {"exists", "{'matchExpressions':[{'key':'a','operator':'Exists'}]}", "{'a':''}", true},
    {"does not exist", "{'matchExpressions':[{'key':'a','operator':'DoesNotExist'}]}", "{'a':''}",
     false},
    {"an unknown operator holds for nothing", "{'matchExpressions':[{'key':'a','operator':'Gt'}]}",
     "{'a':'1'}", false},
    {"labels and expressions together",
     "{'matchLabels':{'a':'1'},'matchExpressions':[{'key':'b','operator':'Exists'}]}",
     "{'a':'1','b':'2'}", true},
};

/* With ' for ". */
static json_t *read_loose(const char *text)
{
    DV_CLEANUP(dv_buf_done) dv_buf json = DV_BUF_INIT(DV_LINE_MAX);
    json_t *doc = NULL;

    for (; text && *text; text++)
        dv_buf_addc(&json, *text == '\'' ? '"' : *text);
    if (text)
        assert_ok(dv_json_read(dv_buf_str(&json), &doc));
    return doc;
}

static void row_matches(void **state)
{
    const struct row *row = *state;
    json_auto_t *selector = read_loose(row->selector), *labels = read_loose(row->labels);

    assert_int_equal(dv_selector_matches(selector, labels), row->want);
}

int main(void)
{
    return DV_RUN_TABLE("kube/selector", row_matches, rows);
}
