using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using PolicyDaemon.Administration;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>Makes a message and an exit code of an exception; the only place that does.</summary>
internal static class Failures
{
    /// <summary>The message of an expected exception; null for any other, which is a fault of the program and keeps its stack trace.</summary>
    internal static bool TryDescribe(Exception exception, [NotNullWhen(true)] out CommandException? failure)
    {
        failure = exception switch
        {
            CommandException command => command,
            RefusedException refused => new(Code(refused.Refusal), refused.Message, refused.Details),
            ConfigurationException { Problems.Count: 1 } one => new(ExitCode.Invalid, one.Problems[0].ToString()),
            ConfigurationException several => new(
                ExitCode.Invalid, "the configuration cannot be used", [.. several.Problems.Select(problem => problem.ToString())]),
            StoreException store => new(Code(store.Kind), store.Message),
            LedgerUnavailableException ledger => new(ExitCode.Invalid, ledger.Message),
            UnauthorizedAccessException denied => new(
                ExitCode.Permission, denied.Message + " Run it as root or as a member of the store's group."),
            IOException io => new(ExitCode.Invalid, io.Message),
            _ => null,
        };
        return failure is not null;
    }

    private static ExitCode Code(Refusal refusal) => refusal switch
    {
        Refusal.NotConfigured or Refusal.NoSuchPin or Refusal.NotUndoable or Refusal.NoCertificate or Refusal.RejectedKeyPresented
            or Refusal.NotAsExpected or Refusal.NoEvidence => ExitCode.Negative,
        Refusal.NeedsReason => ExitCode.Usage,
        Refusal.ConfiguredAlready or Refusal.LevelTakesNoPins or Refusal.NotServable or Refusal.NothingToReplace or Refusal.NoSuchRow or Refusal.TableUnreadable
            or Refusal.TableRefused => ExitCode.Invalid,
        Refusal.NotReached => ExitCode.Inconclusive,
        _ => throw new UnreachableException($"refusal {(int)refusal}"),
    };

    private static ExitCode Code(StoreFault fault) => fault switch
    {
        StoreFault.Permission => ExitCode.Permission,
        // Somebody else is writing: the same command may succeed in a moment.
        StoreFault.Locked => ExitCode.Inconclusive,
        _ => ExitCode.Invalid,
    };
}
