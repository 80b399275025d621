/*
 * firstrun: in which order the methods of a native program run for the first time. It runs in the place of the program, whose
 * process id is its own; a tracer beside it plants a breakpoint at the beginning of every method and takes it away when it is met.
 *
 *     firstrun METHODS DIRECTORY PROGRAM ARGUMENT...
 *
 * METHODS has a line for each: its address in the file, hexadecimal, and its name. DIRECTORY/PID gets the names, one a line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BREAKPOINT = 0xcc, MOST = 1 << 19 };

struct method {
    unsigned long at;
    char *name;
    unsigned char first, met;
};

static struct method methods[MOST];
static size_t count;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int by_address(const void *left, const void *right)
{
    unsigned long a = ((const struct method *) left)->at, b = ((const struct method *) right)->at;
    return a < b ? -1 : a > b;
}

static void read_methods(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail(path);
    while (count < MOST && fscanf(file, "%lx %ms", &methods[count].at, &methods[count].name) == 2)
        count++;
    fclose(file);
    qsort(methods, count, sizeof *methods, by_address);
}

static int memory_of(pid_t pid, unsigned long *base)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *maps = fopen(path, "r");
    if (maps == NULL || fscanf(maps, "%lx", base) != 1)
        fail(path);
    fclose(maps);
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    int memory = open(path, O_RDWR | O_CLOEXEC);
    if (memory < 0)
        fail(path);
    return memory;
}

static void plant(int memory, unsigned long base)
{
    unsigned long from = methods[0].at, length = methods[count - 1].at + 1 - from;
    unsigned char *code = malloc(length);
    if (code == NULL || pread(memory, code, length, (off_t) (base + from)) != (ssize_t) length)
        fail("read");
    for (size_t index = 0; index < count; index++)
        methods[index].first = code[methods[index].at - from];
    for (size_t index = 0; index < count; index++)
        code[methods[index].at - from] = BREAKPOINT;
    if (pwrite(memory, code, length, (off_t) (base + from)) != (ssize_t) length)
        fail("write");
    free(code);
}

/* Several methods with the same code are one address. True where the thread stands behind one of our breakpoints. */
static int meet(pid_t thread, int memory, unsigned long base, FILE *out)
{
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, thread, 0, &registers) < 0)
        return 1; /* it is gone */
    struct method wanted = {.at = registers.rip - 1 - base}, *met = bsearch(&wanted, methods, count, sizeof *methods, by_address);
    if (met == NULL)
        return 0;
    while (met > methods && met[-1].at == met->at)
        met--;
    if (!met->met) {
        met->met = 1;
        if (pwrite(memory, &met->first, 1, (off_t) (base + met->at)) != 1)
            fail("write");
        for (struct method *same = met; same < methods + count && same->at == met->at; same++)
            fprintf(out, "%s\n", same->name);
        fflush(out);
    }
    registers.rip--;
    ptrace(PTRACE_SETREGS, thread, 0, &registers);
    return 1;
}

static void trace(pid_t pid, FILE *out)
{
    unsigned long base = 0;
    int memory = -1, status;
    for (pid_t thread; (thread = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR;) {
        if (thread <= 0)
            continue;
        if (!WIFSTOPPED(status)) {
            if (thread == pid)
                return;
            continue;
        }
        int event = status >> 16, signal = event != 0 ? 0 : WSTOPSIG(status);
        if (event == PTRACE_EVENT_EXEC) {
            memory = memory_of(pid, &base);
            plant(memory, base);
        } else if (signal == SIGTRAP && meet(thread, memory, base, out)) {
            signal = 0;
        }
        ptrace(PTRACE_CONT, thread, 0, signal);
    }
}

int main(int argc, char **argv)
{
    int ready[2];
    char path[4096], ok = 1;
    if (argc < 4) {
        fprintf(stderr, "usage: firstrun METHODS DIRECTORY PROGRAM ARGUMENT...\n");
        return 2;
    }
    pid_t pid = getpid();
    if (pipe2(ready, O_CLOEXEC) < 0)
        fail("pipe");
    pid_t tracer = fork();
    if (tracer < 0)
        fail("fork");
    if (tracer == 0) {
        setsid(); /* a signal to the program's group is not for its tracer */
        read_methods(argv[1]);
        snprintf(path, sizeof path, "%s/%d", argv[2], pid);
        FILE *out = fopen(path, "we");
        if (out == NULL)
            fail(path);
        if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL) < 0)
            fail("ptrace");
        if (write(ready[1], &ok, 1) != 1)
            fail("pipe");
        close(ready[0]);
        close(ready[1]);
        close(0);
        close(1);
        close(2);
        trace(pid, out);
        return fclose(out) == 0 ? 0 : 1;
    }
    close(ready[1]);
    if (read(ready[0], &ok, 1) != 1)
        return 1;
    execv(argv[3], argv + 3);
    fail(argv[3]);
}
