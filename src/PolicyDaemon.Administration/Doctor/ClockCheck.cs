using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Administration.Doctor;

/// <summary>Whether the clock is right: the ends of certificates, of policies and of waiting mail go by it.</summary>
public static class ClockCheck
{
    private const string Name = "clock";

    /// <param name="isSynchronized">Whether a time service steers the clock, as the kernel says; null where it does not say.</param>
    /// <param name="open">The open findings.</param>
    public static IEnumerable<DoctorFinding> Judge(bool? isSynchronized, IEnumerable<FindingJson> open)
    {
        ArgumentNullException.ThrowIfNull(open);
        if (open.FirstOrDefault(finding => finding.Kind == FindingKind.ClockJumped.Name()) is { } jumped)
            yield return DoctorFinding.Warning(Name, $"it jumped: {jumped.Detail}", jumped.Remedy);
        yield return isSynchronized switch
        {
            true => DoctorFinding.Ok(Name, "a time service keeps it"),
            false => DoctorFinding.Warning(
                Name, "no time service keeps it (adjtimex: unsynchronized): once it is wrong, certificates and policies seem to be over, or not to be yet",
                "timedatectl set-ntp true", "timedatectl"),
            null => DoctorFinding.Unknown(Name, "the kernel does not say whether a time service keeps it", "timedatectl"),
        };
    }
}
