using System.Text;
using Microsoft.Win32.SafeHandles;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>The machine as policyctl sees it: streams, environment, clock, network, Postfix; a test hands in its own.</summary>
internal sealed record CliHost : Streams
{
    /// <summary>Standard input, as octets: the reader of a table decides what characters these are.</summary>
    public required Func<Stream> In { get; init; }

    /// <summary>The configuration where the command line names none.</summary>
    public string? Configuration { get; init; }

    /// <summary>True where standard input is a terminal; only then does a command ask a question.</summary>
    public bool InIsTerminal { get; init; }

    /// <summary>Ends with the next key that is pressed at the terminal, which is as it was afterwards; or when it is cancelled.</summary>
    public Func<CancellationToken, Task> KeyPress { get; init; } = _ => Task.CompletedTask;

    /// <summary>The interruption of a command by Ctrl-C.</summary>
    public Func<Interruption> Interruption { get; init; } = () => new Interruption();

    /// <summary>Where MTA-STS policies are fetched.</summary>
    public int PolicyPort { get; init; } = Probe.MtaSts.StsOptions.HttpsPort;

    /// <summary>An environment variable.</summary>
    public required Func<string, string?> Variable { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>The user who makes a change, for the audit log.</summary>
    public required Func<Actor> Actor { get; init; }

    /// <summary>The journal in which a committed change is noted beside the store.</summary>
    public required IChangeJournal Journal { get; init; }

    /// <summary>Told when a command has done what stays done: a result that cannot be written does not undo it.</summary>
    public Action Done { get; init; } = () => { };

    /// <summary>True once that was told.</summary>
    public Func<bool> IsDone { get; init; } = () => false;

    /// <summary>Lets the machine's other work, policyd's lookups above all, come before the rest of this command (nice(1)).</summary>
    public Action GiveWay { get; init; } = () => { };

    /// <summary>Lets the person edit a file.</summary>
    public Action<string> Edit { get; init; } = _ => throw new CommandException(ExitCode.Usage, "there is no editor");

    /// <summary>The tools of the machine's Postfix, which tell its configuration.</summary>
    public required IPostfixTools Postfix { get; init; }

    /// <summary>What <c>doctor</c> tries on the machine.</summary>
    public IMachine Machine { get; init; } = new LocalMachine();

    /// <summary>Whether SELinux enforces its policy (selinux(8)).</summary>
    public Func<bool> SelinuxEnforces { get; init; } = () => false;

    /// <summary>This process on this machine.</summary>
    public static CliHost System()
    {
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        return new CliHost
        {
            In = () => Console.IsInputRedirected ? Console.OpenStandardInput() : new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0),
            Out = new StreamWriter(DescriptorStream.Standard(StandardStreams.Output), utf8, bufferSize: 16_384),
            Error = new StreamWriter(DescriptorStream.Standard(StandardStreams.Error), utf8) { AutoFlush = true },
            OutIsTerminal = !Console.IsOutputRedirected,
            ErrorIsTerminal = !Console.IsErrorRedirected,
            InIsTerminal = !Console.IsInputRedirected,
            Width = () => TerminalWindow.Columns(StandardStreams.Output),
            Height = () => TerminalWindow.Rows(StandardStreams.Output),
            KeyPress = TerminalKey.Pressed,
            ErrorWidth = () => TerminalWindow.Columns(StandardStreams.Error),
            Interruption = Hosting.Interruption.OfSignals,
            Variable = Environment.GetEnvironmentVariable,
            Time = TimeProvider.System,
            Actor = () => ProcessActor.Current(Environment.GetEnvironmentVariable),
            Journal = new SyslogJournal(SyslogJournal.DefaultSocket),
            GiveWay = Niceness.Lower,
            Edit = file => Editor.Run(Environment.GetEnvironmentVariable, file),
            Postfix = new PostconfTools(),
            SelinuxEnforces = () => File.Exists("/sys/fs/selinux/enforce") && File.ReadAllText("/sys/fs/selinux/enforce").StartsWith('1'),
        };
    }
}
