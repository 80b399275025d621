/* Which functions of a program are reached while it runs: one name a line, in the order in which each was reached first.
 *
 *   nm PROGRAM.dbg | reached SECTION-START SECTION-END PROGRAM ARGUMENT...
 *
 * At the beginning of every function of the section stands a breakpoint until it is met once, so that a program runs at its own pace soon after its start.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { INT3 = 0xCC };

struct function { uint64_t address; char *name; int reached; };

static struct function *functions;
static size_t count;

static int by_address(const void *a, const void *b)
{
    const struct function *x = a, *y = b;
    return x->address < y->address ? -1 : x->address > y->address;
}

static struct function *find(uint64_t address)
{
    struct function key = { address, NULL, 0 };
    return bsearch(&key, functions, count, sizeof key, by_address);
}

static uint64_t base_of(pid_t pid)
{
    char path[64], line[4096];
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *maps = fopen(path, "r");
    if (!maps || !fgets(line, sizeof line, maps))
        exit(1);
    fclose(maps);
    return strtoull(line, NULL, 16);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    uint64_t start = strtoull(argv[1], NULL, 16), end = strtoull(argv[2], NULL, 16);
    char line[16384], type;
    size_t room = 0;
    while (fgets(line, sizeof line, stdin)) {
        char name[16384];
        uint64_t address;
        if (sscanf(line, "%lx %c %16383[^\n]", &address, &type, name) != 3 || (type != 't' && type != 'T') || address < start || address >= end)
            continue;
        if (count == room)
            functions = realloc(functions, (room = room ? room * 2 : 65536) * sizeof *functions);
        functions[count++] = (struct function){ address, strdup(name), 0 };
    }
    qsort(functions, count, sizeof *functions, by_address);

    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0); dup2(null, 1);
        execv(argv[3], argv + 3);
        _exit(127);
    }
    int status;
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL));
    uint64_t base = base_of(child);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", child);
    int memory = open(path, O_RDWR);
    unsigned char *code = malloc(end - start), *original = malloc(end - start);
    if (memory < 0 || pread(memory, code, end - start, (off_t)(base + start)) != (ssize_t)(end - start))
        return 1;
    memcpy(original, code, end - start);
    for (size_t i = 0; i < count; i++)
        code[functions[i].address - start] = INT3;
    if (pwrite(memory, code, end - start, (off_t)(base + start)) != (ssize_t)(end - start))
        return 1;
    ptrace(PTRACE_CONT, child, NULL, NULL);

    pid_t stopped;
    while ((stopped = waitpid(-1, &status, __WALL)) > 0) {
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (stopped == child)
                break;
            continue;
        }
        int signal = WSTOPSIG(status);
        if (signal == SIGTRAP) {
            signal = 0;
            struct user_regs_struct registers;
            if (status >> 16 == 0 && ptrace(PTRACE_GETREGS, stopped, NULL, &registers) == 0) {
                struct function *function = find(registers.rip - 1 - base);
                if (function) {
                    if (!function->reached) {
                        /* Several names may have one address. */
                        function->reached = 1;
                        puts(function->name);
                        if (pwrite(memory, original + (function->address - start), 1, (off_t)(base + function->address)) != 1)
                            return 1;
                    }
                    registers.rip--;
                    ptrace(PTRACE_SETREGS, stopped, NULL, &registers);
                }
            }
        } else if (signal == SIGSTOP) {
            signal = 0;
        }
        ptrace(PTRACE_CONT, stopped, NULL, (void *)(long)signal);
    }
    return 0;
}
