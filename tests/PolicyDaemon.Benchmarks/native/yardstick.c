/*
 * yardstick: what the machine's sockets cost. Parses the frame of each request and answers a constant; no table, nothing
 * allocated per request, one thread, one epoll set. Whatever a lookup server needs beyond this is its own.
 *
 *     yardstick socketmap|tcp_table ENDPOINT
 */
#define _GNU_SOURCE
#include "endpoint.h"
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BUFFER = 8192, REPLIES = 32768, BATCH = 256 };

struct peer {
    int fd;
    size_t held;
    char octets[BUFFER];
};

static int tcp_table;

/* The length of the whole request at the start, 0 if it is not all there, -1 if it is none. */
static long request_length(const char *at, size_t held)
{
    if (tcp_table) {
        const char *end = memchr(at, '\n', held);
        if (end == NULL)
            return held < BUFFER ? 0 : -1;
        return end - at > 4 && memcmp(at, "get ", 4) == 0 ? end - at + 1 : -1;
    }
    size_t digits = 0, payload = 0;
    for (; digits < held && at[digits] >= '0' && at[digits] <= '9'; digits++)
        if ((payload = payload * 10 + (size_t) (at[digits] - '0')) > BUFFER - 16)
            return -1;
    if (digits == held)
        return 0;
    if (digits == 0 || at[digits] != ':')
        return -1;
    size_t whole = digits + 1 + payload + 1;
    if (held < whole)
        return 0;
    return at[whole - 1] == ',' && memchr(at + digits, ' ', payload) != NULL ? (long) whole : -1;
}

/* 0: go on; -1: close. */
static int serve(struct peer *peer)
{
    static char replies[REPLIES];
    ssize_t got = recv(peer->fd, peer->octets + peer->held, BUFFER - peer->held, 0);
    if (got <= 0)
        return got < 0 && errno == EAGAIN ? 0 : -1;
    peer->held += (size_t) got;

    const char *answer = tcp_table ? "200 secure\n" : "9:OK secure,";
    const size_t length = strlen(answer);
    size_t at = 0, out = 0;
    long step = 0;
    while (at < peer->held && out + length <= REPLIES && (step = request_length(peer->octets + at, peer->held - at)) > 0) {
        memcpy(replies + out, answer, length);
        out += length;
        at += (size_t) step;
    }
    if (out > 0 && send(peer->fd, replies, out, MSG_NOSIGNAL) != (ssize_t) out)
        return -1;
    peer->held -= at;
    memmove(peer->octets, peer->octets + at, peer->held);
    return step < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    if (argc != 3 || (strcmp(argv[1], "socketmap") != 0 && strcmp(argv[1], "tcp_table") != 0)) {
        fprintf(stderr, "usage: yardstick socketmap|tcp_table ENDPOINT\n");
        return 2;
    }
    tcp_table = argv[1][0] == 't';
    many_descriptors();
    struct endpoint where = parse_endpoint(argv[2]);
    int yes = 1, listener = socket(where.address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (listener < 0 || bind(listener, &where.address.any, where.length) < 0 || listen(listener, 4096) < 0)
        fail(argv[2]);

    int set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[BATCH];
    if (set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, listener, &event) < 0)
        fail("epoll");
    for (;;) {
        int count = epoll_wait(set, events, BATCH, -1);
        for (int index = 0; index < count; index++) {
            struct peer *peer = events[index].data.ptr;
            if (peer != NULL) {
                if (serve(peer) < 0) {
                    close(peer->fd);
                    free(peer);
                }
                continue;
            }
            for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
                no_delay(fd, &where);
                if ((peer = malloc(sizeof *peer)) == NULL)
                    fail("malloc");
                peer->fd = fd;
                peer->held = 0;
                event.data.ptr = peer;
                if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) < 0)
                    fail("epoll_ctl");
            }
        }
    }
}
