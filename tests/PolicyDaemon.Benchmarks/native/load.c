/*
 * load: asks a lookup server as Postfix does: every connection has one request under way and sends the next when the reply
 * is here. Checks every reply's frame and, where the key file says H or M, whether it is a hit or a miss.
 *
 *     load socketmap|tcp_table ENDPOINT KEYFILE CONNECTIONS SECONDS SERVER_PID [churn [COUNT] | pace MICROSECONDS]
 *
 * KEYFILE: one key a line, a tab, H or M. churn: connect, ask once, close, as often as it goes, or COUNT times whatever SECONDS
 * says. pace: each connection pauses between a reply and its next request.
 * Prints one line: requests, requests per second, server CPU microseconds per request (its process clock: all threads, the
 * ended ones too), median and 99th percentile of the time to the reply in microseconds, wrong replies, server's resident KiB.
 */
#define _GNU_SOURCE
#include "endpoint.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 512, BUFFER = 128 * 1024, BUCKETS = 4096, MAP = 32 };

struct request {
    char *octets;
    uint32_t length;
    char expected;
};

struct connection {
    int fd;
    char expected;
    uint64_t asked;
    uint64_t due;
    struct connection *next;
    size_t held;
    char *octets;
};

static struct endpoint server;
static struct request *requests;
static size_t request_count, next_request;
static int tcp_table, churn, set;
static uint64_t replies, wrong, buckets[BUCKETS], churned, churn_count, pause_ns;
static struct connection *first_paused, *last_paused;

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) < 0)
        fail("clock_gettime");
    return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}

static void read_keys(const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0, capacity = 0;
    ssize_t length;
    if (file == NULL)
        fail(path);
    while ((length = getline(&line, &room, file)) > 0) {
        char *tab = strchr(line, '\t');
        if (tab == NULL)
            continue;
        *tab = 0;
        if (request_count == capacity) {
            capacity = capacity * 2 + 1024;
            requests = realloc(requests, capacity * sizeof *requests);
        }
        struct request *one = &requests[request_count++];
        one->expected = tab[1];
        int written = tcp_table
            ? asprintf(&one->octets, "get %s\n", line)
            : asprintf(&one->octets, "%zu:tlspolicy %s,", strlen("tlspolicy ") + strlen(line), line);
        if (written < 0)
            fail("asprintf");
        one->length = (uint32_t) written;
    }
    free(line);
    fclose(file);
    if (request_count == 0) {
        fprintf(stderr, "%s: no keys\n", path);
        exit(2);
    }
}

static void ask(struct connection *one)
{
    struct request *request = &requests[next_request];
    next_request = next_request + 1 == request_count ? 0 : next_request + 1;
    one->expected = request->expected;
    one->asked = clock_ns(CLOCK_MONOTONIC);
    if (send(one->fd, request->octets, request->length, MSG_NOSIGNAL) != (ssize_t) request->length)
        fail("send");
}

static void dial(struct connection *one)
{
    one->fd = socket(server.address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (one->fd < 0 || connect(one->fd, &server.address.any, server.length) < 0)
        fail("connect");
    no_delay(one->fd, &server);
    fcntl(one->fd, F_SETFL, O_NONBLOCK);
    one->held = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
    if (epoll_ctl(set, EPOLL_CTL_ADD, one->fd, &event) < 0)
        fail("epoll_ctl");
}

/* Buckets of 1/64 of a power of two. */
static size_t bucket(uint64_t ns)
{
    if (ns < 64)
        return ns;
    unsigned power = 63u - (unsigned) __builtin_clzll(ns);
    return (power - 5) * 64 + ((ns >> (power - 6)) & 63);
}

static double percentile(double share)
{
    uint64_t wanted = (uint64_t) (share * (double) replies), seen = 0;
    for (size_t index = 0; index < BUCKETS; index++)
        if ((seen += buckets[index]) > wanted) {
            if (index < 64)
                return (double) index / 1000;
            unsigned power = (unsigned) (index / 64) + 5;
            return (double) ((64 + index % 64) << (power - 6)) / 1000;
        }
    return 0;
}

/* 1: a whole reply, counted; 0: more to come. */
static int take(struct connection *one)
{
    char *text = one->octets;
    size_t length;
    if (tcp_table) {
        char *end = memchr(one->octets, '\n', one->held);
        if (end == NULL)
            return 0;
        length = (size_t) (end - one->octets);
        if (length + 1 != one->held)
            wrong++;
    } else {
        char *colon = memchr(one->octets, ':', one->held);
        if (colon == NULL)
            return 0;
        length = strtoul(one->octets, NULL, 10);
        text = colon + 1;
        size_t whole = (size_t) (text - one->octets) + length + 1;
        if (one->held < whole)
            return 0;
        if (one->held != whole || text[length] != ',')
            wrong++;
    }
    const char *hit = tcp_table ? "200 " : "OK ", *miss = tcp_table ? "500 " : "NOTFOUND ";
    int is_hit = length > strlen(hit) && memcmp(text, hit, strlen(hit)) == 0;
    int is_miss = length >= strlen(miss) && memcmp(text, miss, strlen(miss)) == 0;
    if ((one->expected == 'H' && !is_hit) || (one->expected == 'M' && !is_miss) || (!is_hit && !is_miss))
        wrong++;
    return 1;
}

static void receive(struct connection *one)
{
    ssize_t got = recv(one->fd, one->octets + one->held, BUFFER - one->held, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        fprintf(stderr, "the server closed a connection: %s\n", got < 0 ? strerror(errno) : "end");
        exit(1);
    }
    one->held += (size_t) got;
    if (!take(one))
        return;
    one->held = 0;
    replies++;
    buckets[bucket(clock_ns(CLOCK_MONOTONIC) - one->asked)]++;
    if (churn) {
        close(one->fd);
        if (churn_count != 0 && ++churned >= churn_count)
            return;
        dial(one);
    }
    if (pause_ns == 0) {
        ask(one);
        return;
    }
    /* All pause equally long, so the queue is in the order of their turns. */
    one->due = clock_ns(CLOCK_MONOTONIC) + pause_ns;
    one->next = NULL;
    *(first_paused == NULL ? &first_paused : &last_paused->next) = one;
    last_paused = one;
}

/* Asks for those whose pause is over; how many milliseconds until the next one's is. */
static int end_pauses(void)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    while (first_paused != NULL && first_paused->due <= now) {
        struct connection *one = first_paused;
        first_paused = one->next;
        ask(one);
    }
    return first_paused == NULL ? 100 : (int) ((first_paused->due - now) / 1000000u) + 1;
}

static long resident_kib(int pid)
{
    char path[64], line[128];
    long value = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "VmRSS: %ld", &value);
    if (file != NULL)
        fclose(file);
    return value;
}

int main(int argc, char **argv)
{
    if (argc < 7) {
        fprintf(stderr, "usage: load socketmap|tcp_table ENDPOINT KEYFILE CONNECTIONS SECONDS SERVER_PID [churn [COUNT] | pace MICROSECONDS]\n");
        return 2;
    }
    tcp_table = strcmp(argv[1], "tcp_table") == 0;
    server = parse_endpoint(argv[2]);
    read_keys(argv[3]);
    int count = atoi(argv[4]), pid = atoi(argv[6]);
    double seconds = atof(argv[5]);
    churn = argc > 7 && strcmp(argv[7], "churn") == 0;
    if (argc > 8 && churn)
        churn_count = strtoull(argv[8], NULL, 10);
    else if (argc > 8 && strcmp(argv[7], "pace") == 0)
        pause_ns = strtoull(argv[8], NULL, 10) * 1000u;
    many_descriptors();
    clockid_t server_clock;
    if (clock_getcpuclockid(pid, &server_clock) != 0)
        fail("no such server");

    set = epoll_create1(EPOLL_CLOEXEC);
    struct connection *all = calloc((size_t) count, sizeof *all);
    for (int index = 0; index < count; index++) {
        all[index].octets = malloc(BUFFER);
        dial(&all[index]);
    }
    for (int index = 0; index < count; index++)
        ask(&all[index]);

    /* A quarter of a second of warming up is not counted. */
    uint64_t begin = clock_ns(CLOCK_MONOTONIC) + 250000000u, end = 0, cpu = 0, now;
    struct epoll_event events[BATCH];
    for (;;) {
        now = clock_ns(CLOCK_MONOTONIC);
        if (end == 0 && now >= begin) {
            replies = 0;
            memset(buckets, 0, sizeof buckets);
            cpu = clock_ns(server_clock);
            begin = now;
            end = now + (uint64_t) (seconds * 1e9);
        } else if (churn_count != 0 ? churned >= churn_count : end != 0 && now >= end)
            break;
        int ready = epoll_wait(set, events, BATCH, end_pauses());
        for (int index = 0; index < ready; index++)
            receive(events[index].data.ptr);
    }
    cpu = clock_ns(server_clock) - cpu;
    double n = replies > 0 ? (double) replies : 1;
    printf("%lu %.1f %.3f %.1f %.1f %lu %ld\n", replies, n / ((double) (now - begin) / 1e9), (double) cpu / 1e3 / n,
        percentile(0.5), percentile(0.99), wrong, resident_kib(pid));
    return wrong != 0;
}
