using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Tests.Cli;

/// <summary>A machine on which all that <c>doctor</c> tries works, until a test says otherwise.</summary>
internal sealed class FakeMachine : IMachine
{
    internal bool? ClockIsSynchronized { get; set; } = true;

    internal Func<SocketQuestion, SocketAnswer> Answer { get; set; } = question => new SocketAnswer(question, SocketOutcome.Answered, "");

    internal List<SocketQuestion> Asked { get; } = [];

    internal IReadOnlyList<SentAlert> Sent { get; set; } = [];

    internal CommandException? CannotSend { get; set; }

    public bool? IsClockSynchronized() => ClockIsSynchronized;

    public Task<SocketAnswer> AskAsync(SocketQuestion question, TimeSpan patience, CancellationToken cancellation)
    {
        Asked.Add(question);
        return Task.FromResult(Answer(question));
    }

    public Task<IReadOnlyList<SentAlert>> SendTestAlertAsync(Settings settings, UnixUser? service, TimeSpan patience, CancellationToken cancellation) =>
        CannotSend is { } why ? Task.FromException<IReadOnlyList<SentAlert>>(why) : Task.FromResult(Sent);
}
