using System.Globalization;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Administration.Doctor;

/// <summary>Whether the store can be read and written, and the daemon has what it holds.</summary>
public static class StoreCheck
{
    private const string Name = "store";

    public static DoctorFinding Judge(StatusReport status)
    {
        ArgumentNullException.ThrowIfNull(status);
        var database = status.Settings.Database;
        return status switch
        {
            { StoreProblem: { Kind: StoreFault.Permission } denied } => DoctorFinding.Unknown(Name, denied.Message),
            { StoreProblem: { Kind: StoreFault.Locked } busy } => DoctorFinding.Unknown(Name, busy.Message),
            // Where a daemon has run, a store was lost: an empty one in its place would help nobody.
            { StoreProblem: { Kind: StoreFault.Missing } missing, Daemon: null } => DoctorFinding.Problem(Name, missing.Message, "policyctl init"),
            { StoreProblem: { Kind: StoreFault.Missing } missing } => DoctorFinding.Problem(
                Name, $"{missing.Message}. It was there: bring it back from a backup (policyctl backup wrote one, if anybody did); until then the last good snapshot is answered"),
            { StoreProblem: { } problem } => DoctorFinding.Problem(Name, $"{problem.Message}; the last good snapshot is answered, and no change takes effect"),
            { OnlyRead: { } reason } => DoctorFinding.Problem(
                Name, $"{reason.Message}: nothing can be changed, and pins do not follow",
                status.Settings.IsOnServer ? [] : [$"findmnt -T {Shell.Quote(status.Settings.Directory)}"]),
            { Counts: { } counts } => DoctorFinding.Ok(Name, string.Create(
                CultureInfo.InvariantCulture, $"{database}: {Phrases.Count(counts.Destinations, "destination")}, audit log at row {status.Head?.Sequence}")),
            _ => DoctorFinding.Unknown(Name, $"{database} was not read"),
        };
    }
}
