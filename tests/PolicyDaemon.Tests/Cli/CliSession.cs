using System.Text;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Cli;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Tests.Store;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>policyctl in this process, with a store and a configuration of its own in a directory that goes with the test.</summary>
internal sealed class CliSession : IDisposable
{
    internal const string Pin = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    internal const string OtherPin = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    /// <summary>For the section [postfix] and behind it: discovery answers, over a main.cf that says may.</summary>
    internal const string DiscoveryOn = "security_level = may\n[discovery]\nmode = on\n";

    internal CliSession(string postfix = "", bool init = true, string lookup = "", string probe = "")
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("policyctl-").FullName;
        Database = Path.Combine(Directory, "policy.db");
        Store = TemporaryStore.IsOnServer ? PostgreSqlServer.Instance.CreateDatabase() : Database;
        var engine = TemporaryStore.IsOnServer ? $"engine = postgresql\npostgresql = {Store["postgresql:".Length..]}\n" : "";
        Config = Write("policydaemon.conf", $"[lookup]\n{lookup}\n[store]\n{engine}database = {Database}\n[probe]\n{probe}\n[postfix]\n{postfix}\n");
        if (init)
            Succeed("init");
    }

    internal string Directory { get; }

    /// <summary>The key <c>database</c>: the store's file or, where the tests' stores are on a server, what the daemon's files lie beside.</summary>
    internal string Database { get; }

    /// <summary>The store, as messages name it.</summary>
    internal string Store { get; }

    internal string Config { get; }

    internal FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));

    internal Dictionary<string, string> Variables { get; } = new(StringComparer.Ordinal);

    internal bool Terminal { get; set; }

    internal string Input { get; set; } = "";

    /// <summary>Somebody sits at the keyboard.</summary>
    internal bool Person { get; set; }

    /// <summary>Where standard input comes from instead of <see cref="Input"/>.</summary>
    internal Stream? InOverride { get; set; }

    /// <summary>Where standard output goes instead.</summary>
    internal TextWriter? OutOverride { get; set; }

    internal int Width { get; set; }

    internal int ErrorWidth { get; set; }

    internal int Height { get; set; }

    internal Func<CancellationToken, Task> KeyPress { get; set; } = _ => Task.CompletedTask;

    internal int PolicyPort { get; set; } = 443;

    /// <summary>What the person does in the editor, once after the other.</summary>
    internal Queue<Func<string, string>> Edits { get; } = new();

    /// <summary>Ctrl-C, to be pressed.</summary>
    internal Interruption? Interruption { get; set; }

    internal FakePostfix Postfix { get; } = new();

    internal FakeMachine Machine { get; } = new();

    /// <summary>What was noted in the system's log.</summary>
    internal List<string> Notes { get; } = [];

    /// <summary>What happens as soon as a change is committed.</summary>
    internal Action Committed { get; set; } = () => { };

    /// <summary>True once a command let others come first.</summary>
    internal bool GivesWay { get; private set; }

    internal string Write(string name, string content)
    {
        var path = Path.Combine(Directory, name);
        File.WriteAllText(path, content);
        return path;
    }

    /// <summary>On a machine that has the session's configuration.</summary>
    internal CliResult Run(params IReadOnlyList<string> args) => Run(args, Config);

    /// <summary>Without the session's configuration.</summary>
    internal CliResult RunWith(params IReadOnlyList<string> args) => Run(args, configuration: null);

    private CliResult Run(IReadOnlyList<string> args, string? configuration)
    {
        var output = new StringWriter { NewLine = "\n" };
        var error = new StringWriter { NewLine = "\n" };
        var host = new CliHost
        {
            Configuration = configuration,
            In = () => InOverride ?? new MemoryStream(Encoding.UTF8.GetBytes(Input)),
            Out = OutOverride ?? output,
            Error = error,
            OutIsTerminal = Terminal,
            ErrorIsTerminal = false,
            InIsTerminal = Person,
            Width = () => Width,
            ErrorWidth = () => ErrorWidth,
            Height = () => Height,
            KeyPress = KeyPress,
            PolicyPort = PolicyPort,
            Interruption = () => Interruption ?? new Interruption(),
            Variable = name => Variables.GetValueOrDefault(name),
            Time = Time,
            Actor = () => new Actor("root", "alice", null),
            Journal = new Journal(Notes, () => Committed()),
            GiveWay = () => GivesWay = true,
            Edit = file => File.WriteAllText(file, Edits.Dequeue()(File.ReadAllText(file))),
            Postfix = Postfix,
            Machine = Machine,
        };
        var code = PolicyCtl.Run(args, host);
        return new CliResult((ExitCode)code, output.ToString(), error.ToString());
    }

    /// <summary>Runs what must work.</summary>
    internal string Succeed(params IReadOnlyList<string> args)
    {
        var result = Run(args);
        Assert.True(result.Code == ExitCode.Done, $"{string.Join(' ', args)}: exit {result.Code}\n{result.Error}");
        return result.Out;
    }

    public void Dispose()
    {
        if (TemporaryStore.IsOnServer)
            PostgreSqlServer.Instance.DropDatabase(Store);
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private sealed class Journal(List<string> notes, Action committed) : IChangeJournal
    {
        public void Note(long change, Actor actor, string headHash, string summary)
        {
            notes.Add($"{change} {actor} {headHash} {summary}");
            committed();
        }
    }

    /// <summary>A Postfix that is what postconf would print of it.</summary>
    internal sealed class FakePostfix : IPostfixTools
    {
        internal PostconfText? Text { get; set; }

        public string Postconf(IReadOnlyList<string> arguments) => Text is null
            ? throw new CommandException(ExitCode.Invalid, "there is no postconf here")
            : arguments[^1] switch
            {
                "-x" => Text.Expanded,
                "-n" => Text.Explicit,
                "-M" => Text.Services,
                "-P" => Text.Overrides,
                _ when arguments[0] == "-h" => Text.Value(arguments[1]) + "\n",
                _ when arguments[0] == "-e" => Text.Set(arguments.Skip(1)),
                _ => throw new ArgumentException(arguments[^1], nameof(arguments)),
            };

        internal int Reloads { get; private set; }

        public void Reload(string? directory) => Reloads++;

        /// <summary>What postqueue prints; null where there is no Postfix.</summary>
        internal IReadOnlyList<string>? Waiting { get; set; }

        internal bool IsWholeQueue { get; set; } = true;

        /// <summary>How often it was asked.</summary>
        internal int Asked { get; private set; }

        WaitingMail? IPostfixTools.Waiting(TimeSpan patience)
        {
            Asked++;
            return Waiting is null ? null : WaitingMail.Read(Waiting, IsWholeQueue, Text is null ? null : WaitingMail.ReadTime(Text.Value("maximal_queue_lifetime")));
        }
    }
}
