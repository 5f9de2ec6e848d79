/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the peer of the HTTP tests does, by path. "/name/N" takes a number; see the table at
 * the end.
 */
#pragma once

#include <zlib.h>

#include "http_peer.h"

/* Each returns false to end the connection. */

static bool route_ok(peer_conn *conn, const char *request, int number)
{
    (void)request, (void)number;
    return conn_answer(conn, 200, "Content-Type: text/plain\r\nX-Two: a\r\nx-empty:\r\n",
                       DV_STR("ok"));
}

static bool route_status(peer_conn *conn, const char *request, int number)
{
    (void)request;
    return conn_answer(conn, number, "", DV_STR("body"));
}

static bool route_retry_after(peer_conn *conn, const char *request, int number)
{
    dv_auto_str header = dv_asprintf("Retry-After: %d\r\n", number);

    (void)request;
    return conn_answer(conn, 429, header, DV_STR(""));
}

/* number bytes. */
static bool route_big(peer_conn *conn, const char *request, int number)
{
    DV_CLEANUP(dv_buf_done) dv_buf body = DV_BUF_INIT(DV_BODY_MAX);

    (void)request;
    dv_buf_fill(&body, 'x', (size_t)number);
    return conn_answer(conn, 200, "", dv_buf_str(&body));
}

/* number zeros, compressed. */
static bool route_gzip(peer_conn *conn, const char *request, int number)
{
    static const uint8_t zeros[4096];
    DV_CLEANUP(dv_buf_done) dv_buf body = DV_BUF_INIT(DV_BODY_MAX);
    uint8_t room[8192];
    z_stream zip = {0};

    (void)request;
    DV_ASSERT(deflateInit2(&zip, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    for (int left = number; left >= 0;) {
        zip.next_in = (Bytef *)(uintptr_t)zeros;
        zip.avail_in = (uInt)DV_MIN(left, (int)sizeof(zeros));
        left -= (int)zip.avail_in;
        zip.next_out = room;
        zip.avail_out = sizeof(room);
        int state = deflate(&zip, left == 0 ? Z_FINISH : Z_NO_FLUSH);
        dv_buf_add(&body, room, sizeof(room) - zip.avail_out);
        if (state == Z_STREAM_END)
            break;
    }
    deflateEnd(&zip);
    return conn_answer(conn, 200, "Content-Encoding: gzip\r\n", dv_buf_str(&body));
}

/* More header bytes than anyone sends. */
static bool route_headers(peer_conn *conn, const char *request, int number)
{
    (void)request;
    if (!conn_say(conn, "HTTP/1.1 200 OK\r\n"))
        return false;
    for (int i = 0; i < number; i++) {
        dv_auto_str line = dv_asprintf("X-%d: %01000d\r\n", i, i);
        if (!conn_say(conn, line))
            return false;
    }
    return conn_say(conn, "Content-Length: 0\r\n\r\n");
}

/* Half a body, then the end. */
static bool route_cut(peer_conn *conn, const char *request, int number)
{
    (void)request, (void)number;
    conn_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    return false;
}

static bool route_cut_chunk(peer_conn *conn, const char *request, int number)
{
    (void)request, (void)number;
    conn_say(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n9\r\n");
    return false;
}

/* No answer at all, as long as the other side waits. */
static bool route_silent(peer_conn *conn, const char *request, int number)
{
    (void)request, (void)number;
    peer_count(conn->owner, &conn->owner->handled);
    conn_wait_end(conn);
    return false;
}

static bool route_half_silent(peer_conn *conn, const char *request, int number)
{
    (void)request, (void)number;
    conn_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    peer_count(conn->owner, &conn->owner->handled);
    conn_wait_end(conn);
    return false;
}

/* The first request of a connection is answered, a later one ends it. */
static bool route_once(peer_conn *conn, const char *request, int number)
{
    return conn->requests == 1 && route_ok(conn, request, number);
}

static bool route_drop(peer_conn *conn, const char *request, int number)
{
    (void)conn, (void)request, (void)number;
    return false;
}

/* Answers when the test says so. */
static bool route_held(peer_conn *conn, const char *request, int number)
{
    peer_count(conn->owner, &conn->owner->handled);
    peer_wait_release(conn->owner);
    return route_ok(conn, request, number);
}

static bool route_echo(peer_conn *conn, const char *request, int number)
{
    (void)number;
    return conn_answer(conn, 200, "", dv_str_of(request));
}

static bool route_interim(peer_conn *conn, const char *request, int number)
{
    return conn_say(conn, "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n") &&
           route_ok(conn, request, number);
}

static bool route_garbage(peer_conn *conn, const char *request, int number)
{
    (void)request, (void)number;
    conn_say(conn, "SSH-2.0-OpenSSH_9\r\n\r\n");
    return false;
}

/* Three chunks with a trailer behind; the last waits for the test. */
static bool route_stream(peer_conn *conn, const char *request, int number)
{
    (void)request, (void)number;
    if (!conn_say(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Kind: stream\r\n\r\n"
                        "4\r\none\n\r\n4\r\ntwo\n\r\n"))
        return false;
    peer_count(conn->owner, &conn->owner->handled);
    peer_wait_release(conn->owner);
    return conn_say(conn, "6\r\nthree\n\r\n0\r\nX-Trailer: 1\r\n\r\n");
}

static const struct peer_route {
    const char *path;
    bool (*serve)(peer_conn *conn, const char *request, int number);
} peer_routes[] = {
    {"/ok", route_ok},
    {"/status/", route_status},
    {"/retry-after/", route_retry_after},
    {"/big/", route_big},
    {"/gzip/", route_gzip},
    {"/headers/", route_headers},
    {"/cut", route_cut},
    {"/cut-chunk", route_cut_chunk},
    {"/silent", route_silent},
    {"/half-silent", route_half_silent},
    {"/once", route_once},
    {"/drop", route_drop},
    {"/held", route_held},
    {"/echo", route_echo},
    {"/interim", route_interim},
    {"/garbage", route_garbage},
    {"/stream", route_stream},
};

static bool serve_one(peer_conn *conn, const char *request)
{
    dv_str method, path, rest = dv_str_cut(dv_str_of(request), ' ', &method);

    dv_str_cut(rest, ' ', &path);
    for (size_t i = 0; i < DV_LEN(peer_routes); i++) {
        dv_str wanted = dv_str_of(peer_routes[i].path);
        bool numbered = dv_str_ends(wanted, DV_STR("/"));

        if (!(numbered ? dv_str_starts(path, wanted) : dv_str_eq(path, wanted)))
            continue;
        int number = numbered ? (int)strtol(path.p + wanted.n, NULL, 10) : 0;
        return peer_routes[i].serve(conn, request, number);
    }
    return conn_answer(conn, 404, "", DV_STR(""));
}

static inline void serve_routes(peer_conn *conn)
{
    static __thread char request[256 * 1024];

    while (conn_read_request(conn, request, sizeof(request)) && serve_one(conn, request))
        continue;
}
