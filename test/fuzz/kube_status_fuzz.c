/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two bytes of status, one of choice, then the answer: every answer is an error with a reason
 * and a bounded message of one line, and one about a Secret that may quote it holds no value.
 */
#include "kube/client_internal.h"

static const dv_resource secrets = {"", "v1", "Secret", "secrets", "v1", true, 0, 0, 0};
static const dv_resource configmaps = {"", "v1", "ConfigMap", "configmaps", "v1", true, 0, 0, 0};

static void check(const dv_err *err)
{
    const char *text = dv_err_str(err);

    DV_ASSERT(*dv_err_reason(err) && dv_err_kind_of(err) >= DV_TRANSIENT);
    DV_ASSERT(dv_err_kind_of(err) <= DV_INVALID);
    DV_ASSERT(strlen(text) < (size_t)16 * 1024 && dv_err_retry_after_ms(err) >= 0);
    for (; *text; text++)
        DV_ASSERT((unsigned char)*text >= ' ');
}

static void blank(json_t *object)
{
    if (dv_json_view(object, "/message").n)
        json_object_set_new(object, "message", json_string("-"));
}

/* The same answer with other sentences in it must read the same. */
static void check_kept_back(const dv_kube_request *request, const dv_err *err, dv_str body)
{
    DV_CLEANUP(dv_buf_done) dv_buf other = DV_BUF_INIT(DV_BODY_MAX);
    json_auto_t *status = NULL;
    dv_auto(dv_err) no_json = dv_json_read(body, &status);
    json_t *cause;
    size_t i;

    if (no_json)
        return;
    blank(status);
    json_array_foreach(dv_json_array(status, "/details/causes"), i, cause) blank(cause);
    dv_json_write(status, &other);
    dv_auto(dv_err) same = dv_kube_answer_error(request, 422, dv_buf_str(&other), 0);
    DV_ASSERT(strcmp(dv_err_str(err), dv_err_str(same)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *status = NULL;

    if (size < 3)
        return 0;
    int code = 300 + (data[0] << 8 | data[1]) % 300;
    dv_str body = {(const char *)data + 3, size - 3};
    dv_kube_request request = {.verb = DV_KUBE_APPLY,
                               .resource = data[2] & 1 ? &secrets : &configmaps,
                               .ns = "ns",
                               .name = "x"};
    dv_auto(dv_err) err = dv_kube_answer_error(data[2] & 2 ? NULL : &request, code, body, 0);
    check(err);
    if ((data[2] & 3) == 1 && code == 422)
        check_kept_back(&request, err, body);
    dv_auto(dv_err) no_json = dv_json_read(body, &status);
    dv_auto(dv_err) again = dv_kube_status_error(no_json ? NULL : status, code);
    check(again);
    return 0;
}
