/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_internal.h"
#include "http/url.h"

/* ---- Once more? ---- */

/*
 * Has all of the announced body come? libcurl fails a finished HTTP/2 stream, too, when its
 * connection dies before the next read.
 */
static bool is_whole(const dv_transfer *transfer)
{
    curl_off_t announced = -1, got = 0;

    if (!transfer->headers_done || transfer->sink)
        return false;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &got);
    return announced >= 0 && announced == got;
}

static bool is_safe(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

bool dv_transfer_should_retry(const dv_transfer *transfer, CURLcode code)
{
    long opened = 0;

    /* Half an answer to a question that changes nothing is no answer yet. */
    bool heard = transfer->answered && (transfer->sink || !is_safe(transfer->method));

    if (heard || is_whole(transfer) || transfer->why || transfer->ended_by_sink ||
        !transfer->repeatable || transfer->retries >= DV_HTTP_RETRIES_MAX)
        return false;
    switch (code) {
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        /* On a connection of its own the failure is news, on a pooled one it may be old age. */
        curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &opened);
        return opened == 0;
    default:
        return false;
    }
}

/* ---- What to call it ---- */

static bool is_tls(CURLcode code)
{
    switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return true;
    default:
        return false;
    }
}

/* libcurl's own words where they can't hold what a server sent. */
static const char *text_of(dv_transfer *transfer, CURLcode code)
{
    if (!transfer->error_text[0] ||
        (!is_tls(code) && code != CURLE_COULDNT_CONNECT && code != CURLE_COULDNT_RESOLVE_HOST &&
         code != CURLE_COULDNT_RESOLVE_PROXY))
        return curl_easy_strerror(code);
    transfer->error_text[strcspn(transfer->error_text, "\r\n")] = '\0';
    return transfer->error_text;
}

static dv_err *connection_error(dv_transfer *transfer, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return dv_err_new(DV_TRANSIENT, "ResolveFailed", "%s", text_of(transfer, code));
    case CURLE_COULDNT_CONNECT:
        return dv_err_new(DV_TRANSIENT, "ConnectFailed", "%s", text_of(transfer, code));
    case CURLE_OPERATION_TIMEDOUT:
        return dv_err_new(DV_TRANSIENT, "ConnectTimeout", "no connection within %ld s",
                          DV_HTTP_CONNECT_MS / 1000);
    case CURLE_PARTIAL_FILE:
        return dv_err_new(DV_TRANSIENT, "ConnectionLost",
                          transfer->answered ? "the connection was lost in the middle of the answer"
                                             : "the connection was lost before an answer came");
    case CURLE_SEND_FAIL_REWIND:
        return dv_err_new(DV_TRANSIENT, "ConnectionLost",
                          "the connection was lost; the request may have been carried out");
    case CURLE_URL_MALFORMAT:
        return dv_err_new(DV_INVALID, "BadURL", "the URL can't be used");
    case CURLE_UNSUPPORTED_PROTOCOL:
        /* Ours was checked before: it is the answer that is in no known protocol. */
        return dv_err_new(DV_TRANSIENT, "ConnectionFailed", "the server does not speak HTTP");
    default:
        return dv_err_new(DV_TRANSIENT, transfer->sends ? "ConnectionLost" : "ConnectionFailed",
                          "%s", text_of(transfer, code));
    }
}

dv_err *dv_transfer_error(dv_transfer *transfer, CURLcode code)
{
    if (transfer->why)
        return DV_TAKE(transfer->why);
    if (transfer->ended_by_sink)
        return dv_err_new(DV_CANCELED, "StreamEnded", "the receiver ended the stream");
    if (code == CURLE_OK || is_whole(transfer))
        return NULL;
    if (transfer->refused_address[0] &&
        (code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK))
        return dv_err_new(DV_DENIED, "AddressNotAllowed", "the address %s may not be connected to",
                          transfer->refused_address);
    if (is_tls(code))
        return dv_err_new(DV_TRANSIENT, "TLSFailed", "%s", text_of(transfer, code));
    return connection_error(transfer, code);
}

dv_err *dv_transfer_wrap(const dv_transfer *transfer, dv_err *err)
{
    DV_CLEANUP(dv_buf_done) dv_buf url = DV_BUF_INIT(2 * DV_URL_MAX);

    if (!err)
        return NULL;
    dv_url_add_public(&url, dv_str_head(dv_str_of(transfer->url), DV_URL_MAX));
    return dv_err_wrap(err, "%s %s", transfer->method, dv_buf_cstr(&url));
}
