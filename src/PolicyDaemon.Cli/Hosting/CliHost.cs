using System.Text;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>Everything policyctl takes from the machine, so that a test can hand in its own.</summary>
internal sealed record CliHost : Streams
{
    /// <summary>Standard input, as bytes: a table says itself what its characters are.</summary>
    public required Func<Stream> In { get; init; }

    /// <summary>True where a person types at standard input: only then is anything asked.</summary>
    public bool InIsTerminal { get; init; }

    /// <summary>Ctrl-C while a command works.</summary>
    public Func<Interruption> Interruption { get; init; } = () => new Interruption();

    /// <summary>Where MTA-STS policies are fetched.</summary>
    public int PolicyPort { get; init; } = Probe.MtaSts.StsOptions.HttpsPort;

    /// <summary>An environment variable.</summary>
    public required Func<string, string?> Variable { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Who makes the change.</summary>
    public required Func<Actor> Actor { get; init; }

    /// <summary>Where a committed change is noted beside the store.</summary>
    public required IChangeJournal Journal { get; init; }

    /// <summary>Told when a command has done what stays done: a result that cannot be written does not undo it.</summary>
    public Action Done { get; init; } = () => { };

    /// <summary>Lets the person edit a file.</summary>
    public Action<string> Edit { get; init; } = _ => throw new CommandException(ExitCode.Usage, "there is no editor");

    /// <summary>How the real Postfix is asked for its configuration.</summary>
    public required IPostfixTools Postfix { get; init; }

    /// <summary>Whether SELinux enforces its policy (selinux(8)).</summary>
    public Func<bool> SelinuxEnforces { get; init; } = () => false;

    /// <summary>This process on this machine.</summary>
    public static CliHost System()
    {
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        return new CliHost
        {
            In = Console.OpenStandardInput,
            Out = new StreamWriter(Console.OpenStandardOutput(), utf8, bufferSize: 16_384),
            Error = new StreamWriter(Console.OpenStandardError(), utf8) { AutoFlush = true },
            OutIsTerminal = !Console.IsOutputRedirected,
            ErrorIsTerminal = !Console.IsErrorRedirected,
            InIsTerminal = !Console.IsInputRedirected,
            Width = () => TerminalWindow.Columns(TerminalWindow.StandardOutput),
            ErrorWidth = () => TerminalWindow.Columns(TerminalWindow.StandardError),
            Interruption = Hosting.Interruption.OfSignals,
            Variable = Environment.GetEnvironmentVariable,
            Time = TimeProvider.System,
            Actor = () => ProcessActor.Current(Environment.GetEnvironmentVariable),
            Journal = new SyslogJournal(SyslogJournal.DefaultSocket),
            Edit = file => Editor.Run(Environment.GetEnvironmentVariable, file),
            Postfix = new PostconfTools(),
            SelinuxEnforces = () => File.Exists("/sys/fs/selinux/enforce") && File.ReadAllText("/sys/fs/selinux/enforce").StartsWith('1'),
        };
    }
}
