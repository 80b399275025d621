/* Endpoints as Postfix writes them: unix:/path and inet:127.0.0.1:port. */
#ifndef ENDPOINT_H
#define ENDPOINT_H
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

struct endpoint {
    union {
        struct sockaddr any;
        struct sockaddr_un local;
        struct sockaddr_in inet;
    } address;
    socklen_t length;
};

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

static struct endpoint parse_endpoint(const char *text)
{
    struct endpoint result;
    memset(&result, 0, sizeof result);
    if (strncmp(text, "unix:", 5) == 0 && strlen(text + 5) < sizeof result.address.local.sun_path) {
        result.address.local.sun_family = AF_UNIX;
        strcpy(result.address.local.sun_path, text + 5);
        result.length = sizeof result.address.local;
        return result;
    }
    char host[32];
    int port;
    if (sscanf(text, "inet:%31[0-9.]:%d", host, &port) == 2
        && inet_pton(AF_INET, host, &result.address.inet.sin_addr) == 1) {
        result.address.inet.sin_family = AF_INET;
        result.address.inet.sin_port = htons((unsigned short) port);
        result.length = sizeof result.address.inet;
        return result;
    }
    fprintf(stderr, "no endpoint: %s (unix:/path or inet:127.0.0.1:port)\n", text);
    exit(2);
}

static void no_delay(int fd, const struct endpoint *where)
{
    int yes = 1;
    if (where->address.any.sa_family == AF_INET && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) < 0)
        fail("TCP_NODELAY");
}

static void many_descriptors(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}
#endif
