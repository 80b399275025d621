using PolicyDaemon.Core;

namespace PolicyDaemon.Administration.Doctor;

/// <summary>How a thing is that <c>doctor</c> looked at; in the order of the list, from green to red.</summary>
public enum DoctorSeverity
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Worth knowing; nothing to do.</summary>
    Note,

    /// <summary>It could not be looked at; nothing is known of it.</summary>
    Unknown,

    /// <summary>It works, and needs a person before it does not.</summary>
    Warning,

    /// <summary>Mail waits, is not protected, or a part does not work.</summary>
    Problem,
}

/// <summary>The shown names of severities; those of <c>setup</c>, and one for what cannot be told.</summary>
public static class DoctorSeverities
{
    private static readonly StoredNames<DoctorSeverity> Names = new(
        (DoctorSeverity.Ok, "ok"), (DoctorSeverity.Note, "note"), (DoctorSeverity.Unknown, "unknown"), (DoctorSeverity.Warning, "warning"),
        (DoctorSeverity.Problem, "problem"));

    public static string Name(this DoctorSeverity severity) => Names.Of(severity);

    public static bool TryParse(string name, out DoctorSeverity severity) => Names.TryParse(name, out severity);
}

/// <summary>One thing that was looked at.</summary>
/// <param name="Check">What was looked at: a word such as <c>daemon</c> or <c>disk</c>.</param>
/// <param name="Severity">How it is.</param>
/// <param name="Text">What was seen, and what it means for mail.</param>
/// <param name="Remedy">The command lines that settle it, in order, to be pasted into a shell of root; empty where there is nothing to do, or no command does it.</param>
public sealed record DoctorFinding(string Check, DoctorSeverity Severity, string Text, params IReadOnlyList<string> Remedy)
{
    public static DoctorFinding Ok(string check, string text) => new(check, DoctorSeverity.Ok, text);

    public static DoctorFinding Note(string check, string text, params IReadOnlyList<string> remedy) => new(check, DoctorSeverity.Note, text, remedy);

    public static DoctorFinding Unknown(string check, string text, params IReadOnlyList<string> remedy) => new(check, DoctorSeverity.Unknown, text, remedy);

    public static DoctorFinding Warning(string check, string text, params IReadOnlyList<string> remedy) => new(check, DoctorSeverity.Warning, text, remedy);

    public static DoctorFinding Problem(string check, string text, params IReadOnlyList<string> remedy) => new(check, DoctorSeverity.Problem, text, remedy);

    /// <summary>The list as people read it: the worst last, where the eye is when it has scrolled by; within a severity in the order of the checks.</summary>
    public static IReadOnlyList<DoctorFinding> Ordered(IEnumerable<DoctorFinding> findings) => [.. findings.OrderBy(finding => finding.Severity)];
}
