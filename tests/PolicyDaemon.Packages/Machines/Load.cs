using System.Globalization;

namespace PolicyDaemon.Packages.Machines;

/// <summary>Postfix's own clients that ask for partner.test without a pause, and that give up at the first lookup that fails.</summary>
/// <remarks>postmap(1), option -q: with the key "-" it asks for every line of its input over one connection, and ends at an error.</remarks>
public sealed class Load
{
    private readonly Machine _machine;
    private readonly IReadOnlyList<string> _maps;

    private Load(Machine machine, IReadOnlyList<string> maps) => (_machine, _maps) = (machine, maps);

    public static async Task<Load> StartAsync(Machine machine, params IReadOnlyList<string> maps)
    {
        var load = new Load(machine, maps);
        for (var client = 0; client < maps.Count; client++)
        {
            // The answers are counted while they come: one line where all are the same.
            await machine.DoAsync(
                $$"""
                cd /var/spool/postfix
                rm -f /tmp/load{{client}}*
                mkfifo /tmp/load{{client}}.keys
                setsid bash -c 'echo $BASHPID >/tmp/load{{client}}.pid; exec yes partner.test >/tmp/load{{client}}.keys' </dev/null >/dev/null 2>&1 &
                setsid bash -c '{ postmap -q - "{{maps[client]}}" </tmp/load{{client}}.keys 2>/tmp/load{{client}}.errors; echo "exit $?"; } \
                    | uniq -c >/tmp/load{{client}}.answers; touch /tmp/load{{client}}.done' </dev/null >/dev/null 2>&1 &
                """);
        }

        return load;
    }

    /// <summary>Ends the clients and requires that every lookup got the same answer.</summary>
    /// <returns>How many lookups there were, for each map.</returns>
    public async Task<IReadOnlyList<long>> RequireNoFailureAsync()
    {
        var counts = new List<long>();
        for (var client = 0; client < _maps.Count; client++)
        {
            await _machine.ShellAsync($"kill $(cat /tmp/load{client}.pid)");
            await Until.TrueAsync("the client has ended", () => _machine.SucceedsAsync($"test -e /tmp/load{client}.done"));
            var errors = await _machine.DoAsync($"cat /tmp/load{client}.errors");
            var answers = (await _machine.DoAsync($"cat /tmp/load{client}.answers")).Split('\n', StringSplitOptions.TrimEntries);
            Assert.True(answers is [var all, "1 exit 0"] && all.Contains("partner.test\tfingerprint match=", StringComparison.Ordinal),
                $"{_maps[client]}:\n{string.Join('\n', answers)}\n{errors}\n{await _machine.EvidenceAsync()}");
            counts.Add(long.Parse(answers[0].Split(' ')[0], CultureInfo.InvariantCulture));
        }

        return counts;
    }
}
