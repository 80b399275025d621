using System.Globalization;
using System.Text;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>One unmodified Postfix with configuration, queue, data and log of its own in the laboratory.</summary>
public sealed class PostfixInstance
{
    private readonly Func<string[], string?, Task<CommandResult>> _run;

    internal PostfixInstance(Sandbox sandbox, string name, Func<string[], string?, Task<CommandResult>> run)
    {
        _run = run;
        Folder = Directory.CreateDirectory(Path.Combine(sandbox.Folder, name)).FullName;
        Configuration = Directory.CreateDirectory(Path.Combine(Folder, "etc")).FullName;
        Log = new LogFile(Path.Combine(Folder, "log"));
    }

    public string Folder { get; }

    public string Configuration { get; }

    public string Queue => Path.Combine(Folder, "queue");

    public LogFile Log { get; }

    /// <summary>Runs one of Postfix' commands on this instance: <c>postconf</c>, <c>postqueue</c>, <c>postmap</c> ...</summary>
    public Task<CommandResult> RunAsync(string command, params string[] arguments) =>
        _run([command, "-c", Configuration, .. arguments], null);

    internal Task<CommandResult> RunWithInputAsync(string input, string command, params string[] arguments) =>
        _run([command, .. arguments], input);

    /// <summary><c>postconf -e</c>; programs that run already see it when they end or after <see cref="ReloadAsync"/>.</summary>
    public async Task ConfigureAsync(params string[] settings)
    {
        (await RunAsync("postconf", ["-e", .. settings])).Require();
        Settle(MainCf);
    }

    /// <summary>The value in use of one parameter.</summary>
    public async Task<string> ParameterAsync(string name) => (await RunAsync("postconf", "-h", name)).Require().TrimEnd('\n');

    public async Task ReloadAsync() => (await RunAsync("postfix", "reload")).Require();

    /// <summary>Dates a finished file back. Postfix reads one changed within the last second again and again until it is older.</summary>
    internal static void Settle(string file) => File.SetLastWriteTimeUtc(file, File.GetLastWriteTimeUtc(file).AddMinutes(-1));

    internal async Task StartAsync(string mainCf, string masterCf)
    {
        var text = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"compatibility_level = 3.6\nqueue_directory = {Queue}\n")
            .Append(CultureInfo.InvariantCulture, $"data_directory = {Folder}/data\nmaillog_file = {Folder}/log\n")
            .Append(CultureInfo.InvariantCulture, $"maillog_file_prefixes = {Folder}\nenable_long_queue_ids = yes\n")
            .Append("alias_maps =\nalias_database =\nbiff = no\nmydestination =\n")
            .Append(mainCf);
        await File.WriteAllTextAsync(MainCf, LastOfEach(text.ToString()));
        Settle(MainCf);
        await File.WriteAllTextAsync(Path.Combine(Configuration, "master.cf"), masterCf);
        Directory.CreateDirectory(Queue);
        (await RunAsync("postfix", "start")).Require();
    }

    /// <summary>Of a parameter that is set twice the last line. Postfix takes that one, too, and every process warns of the other; postlogd(8), which
    /// warns itself, then waits for room in its own full socket, and with it everybody.</summary>
    private static string LastOfEach(string text)
    {
        var lines = text.Split('\n');
        static string Name(string line) => line.Split('=', 2)[0].Trim();
        return string.Join('\n', lines.Where((line, index) =>
            line.StartsWith('#') || !line.Contains('=', StringComparison.Ordinal) || !lines.Skip(index + 1).Any(later => !later.StartsWith('#') && Name(later) == Name(line))));
    }

    private string MainCf => Path.Combine(Configuration, "main.cf");
}
