/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server on loopback that misbehaves as told: one thread a connection, plain or TLS, raw bytes
 * in and out. serve_routes() speaks HTTP/1.1 and picks what to do by the path.
 *
 * Threads: a test owns its peer; counters may be read at any time.
 */
#pragma once

#include <openssl/ssl.h> /* before base/banned.h, which poisons a name that it uses */

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sync.h"

enum { PEER_CONNS_MAX = 512 };

typedef struct peer peer;
typedef struct {
    peer *owner;
    int fd;
    SSL *tls;
    pthread_t thread;
    int requests; /* so far on this connection */
} peer_conn;

struct peer {
    void (*serve)(peer_conn *conn);
    void *arg;
    int fd, port;
    SSL_CTX *tls;
    pthread_t thread;
    pthread_mutex_t mu;
    pthread_cond_t changed;
    /* Guarded by mu. */
    peer_conn *conns[PEER_CONNS_MAX];
    int conns_n;
    bool stopping;
    char last[16384]; /* head and body of the last request */
    bool released;    /* for routes that wait until the test lets them go on */
    _Atomic int requests, handled;
};

/* ---- Bytes ---- */

static inline bool conn_send(peer_conn *conn, const void *bytes, size_t n)
{
    const char *at = bytes;

    while (n) {
        int sent =
            conn->tls ? SSL_write(conn->tls, at, (int)n) : (int)send(conn->fd, at, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        n -= (size_t)sent;
    }
    return true;
}

static inline bool conn_say(peer_conn *conn, const char *text)
{
    return conn_send(conn, text, strlen(text));
}

/* The number of bytes; 0 at the end. */
static inline size_t conn_read(peer_conn *conn, void *room, size_t n)
{
    int got = conn->tls ? SSL_read(conn->tls, room, (int)n) : (int)recv(conn->fd, room, n, 0);

    return got < 0 ? 0 : (size_t)got;
}

static inline bool conn_read_all(peer_conn *conn, void *room, size_t n)
{
    for (size_t done = 0; done < n;) {
        size_t got = conn_read(conn, (char *)room + done, n - done);
        if (!got)
            return false;
        done += got;
    }
    return true;
}

/* Until the other side closes. */
static inline void conn_wait_end(peer_conn *conn)
{
    char sink[4096];

    while (conn_read(conn, sink, sizeof(sink)))
        continue;
}

/* ---- Life ---- */

static void *peer_run_conn(void *arg)
{
    peer_conn *conn = arg;

    if (!conn->tls || SSL_accept(conn->tls) == 1)
        conn->owner->serve(conn);
    shutdown(conn->fd, SHUT_RDWR);
    return NULL;
}

static void *peer_run(void *arg)
{
    peer *self = arg;
    int one = 1;

    for (;;) {
        int fd = accept4(self->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return NULL;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        DV_LOCK_SCOPE(&self->mu);
        if (self->stopping || self->conns_n == PEER_CONNS_MAX) {
            close(fd);
            continue;
        }
        peer_conn *conn = DV_NEW(peer_conn);
        conn->owner = self;
        conn->fd = fd;
        if (self->tls) {
            conn->tls = SSL_new(self->tls);
            SSL_set_fd(conn->tls, fd);
        }
        self->conns[self->conns_n++] = conn;
        pthread_cond_broadcast(&self->changed);
        conn->thread = dv_thread_start("peer-conn", DV_STACK_BYTES, peer_run_conn, conn);
    }
}

/* tls may be NULL; it is freed with the peer. */
static inline peer *peer_start(void (*serve)(peer_conn *conn), SSL_CTX *tls, void *arg)
{
    peer *self = DV_NEW(peer);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);

    self->serve = serve;
    self->arg = arg;
    self->tls = tls;
    pthread_mutex_init(&self->mu, NULL);
    dv_cond_init(&self->changed);
    self->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    DV_ASSERT(bind(self->fd, (struct sockaddr *)&at, n) == 0 && listen(self->fd, 256) == 0);
    DV_ASSERT(getsockname(self->fd, (struct sockaddr *)&at, &n) == 0);
    self->port = ntohs(at.sin_port);
    self->thread = dv_thread_start("peer", DV_STACK_BYTES, peer_run, self);
    return self;
}

/* Lets the routes that wait go on. */
static inline void peer_release(peer *self)
{
    DV_LOCK_SCOPE(&self->mu);
    self->released = true;
    pthread_cond_broadcast(&self->changed);
}

static inline void peer_wait_release(peer *self)
{
    DV_LOCK_SCOPE(&self->mu);
    while (!self->released && !self->stopping)
        dv_cond_wait_ms(&self->changed, &self->mu, -1);
}

static inline int peer_conns(peer *self)
{
    DV_LOCK_SCOPE(&self->mu);
    return self->conns_n;
}

/* Waits until count (which a serving thread raises before it signals) reaches n. */
static inline void peer_wait_for(peer *self, _Atomic int *count, int n)
{
    DV_LOCK_SCOPE(&self->mu);
    while (*count < n)
        dv_cond_wait_ms(&self->changed, &self->mu, 1000);
}

static inline void peer_count(peer *self, _Atomic int *count)
{
    DV_LOCK_SCOPE(&self->mu);
    ++*count;
    pthread_cond_broadcast(&self->changed);
}

/* Closes all connections and the listener, as a server that dies. */
static inline void peer_stop(peer *self)
{
    {
        DV_LOCK_SCOPE(&self->mu);
        self->stopping = true;
        pthread_cond_broadcast(&self->changed);
        for (int i = 0; i < self->conns_n; i++)
            shutdown(self->conns[i]->fd, SHUT_RDWR);
    }
    shutdown(self->fd, SHUT_RDWR);
    pthread_join(self->thread, NULL);
    for (int i = 0; i < self->conns_n; i++) {
        pthread_join(self->conns[i]->thread, NULL);
        SSL_free(self->conns[i]->tls);
        close(self->conns[i]->fd);
        free(self->conns[i]);
    }
    close(self->fd);
    SSL_CTX_free(self->tls);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->mu);
    free(self);
}

/* ---- HTTP/1.1 ---- */

/* Head and body of the next request into room, NUL-terminated; false at the end. */
static inline bool conn_read_request(peer_conn *conn, char *room, size_t size)
{
    size_t n = 0, wanted = 0;

    while (n + 1 < size) {
        size_t got = conn_read(conn, room + n, wanted ? wanted - n : 1);
        if (!got)
            return false;
        n += got;
        room[n] = '\0';
        if (!wanted && n >= 4 && !memcmp(room + n - 4, "\r\n\r\n", 4)) {
            const char *length = strcasestr(room, "\r\nContent-Length:");
            wanted = n + (length ? strtoul(length + 17, NULL, 10) : 0);
            DV_ASSERT(wanted < size);
        }
        if (wanted && n == wanted)
            break;
    }
    conn->requests++;
    DV_LOCK_SCOPE(&conn->owner->mu);
    conn->owner->requests++;
    memcpy(conn->owner->last, room, DV_MIN(n + 1, sizeof(conn->owner->last) - 1));
    pthread_cond_broadcast(&conn->owner->changed);
    return true;
}

/* Was this text in the last request? */
static inline bool peer_saw(peer *self, const char *text)
{
    DV_LOCK_SCOPE(&self->mu);
    return strstr(self->last, text) != NULL;
}

static inline bool conn_answer(peer_conn *conn, int status, const char *headers, dv_str body)
{
    dv_auto_str head =
        dv_asprintf("HTTP/1.1 %d Word\r\n%sContent-Length: %zu\r\n\r\n", status, headers, body.n);

    return conn_say(conn, head) && conn_send(conn, body.p, body.n);
}
