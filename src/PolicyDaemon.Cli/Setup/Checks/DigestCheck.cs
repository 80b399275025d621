using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>smtp_tls_fingerprint_digest equals ours: an answer cannot name its digest, and pins of another one never match.</summary>
internal static class DigestCheck
{
    private const string Parameter = "smtp_tls_fingerprint_digest";

    /// <summary>True where Postfix computes the digest that we serve.</summary>
    internal static bool IsOurs(SetupSubject subject) =>
        DigestAlgorithms.TryParse(subject.Postfix[Parameter], out var digest) && digest == subject.Settings.Postfix.FingerprintDigest;

    internal static IEnumerable<SetupResult> Run(SetupSubject subject)
    {
        var postfix = subject.Postfix;
        var ours = subject.Settings.Postfix.FingerprintDigest;
        var theirs = postfix[Parameter];
        var pinned = subject.Count(TlsLevel.Fingerprint);
        if (subject.InTheWay is { Count: > 0 } tables)
            yield return new(
                "digest", SetupSeverity.Problem,
                $"Postfix computes {theirs} and policyd serves {ours.Name()}; with {ours.Name()} in Postfix {OlderTableText.Mismatches(tables, ours.Name())}. "
                + $"Settle that first, or keep {theirs}: fingerprint_digest = {theirs} in [postfix]",
                OlderTableText.Steps(tables));
        else if (!IsOurs(subject))
            yield return new(
                "digest", SetupSeverity.Problem,
                $"Postfix computes {theirs} and policyd serves {ours.Name()}: no pin matches"
                + (pinned > 0 ? $", mail for {pinned} pinned {(pinned == 1 ? "destination" : "destinations")} {(PolicyMapCheck.AsksUs(subject) ? "waits" : "would wait")}" : "")
                + $"; set Postfix to {ours.Name()}, or fingerprint_digest in [postfix] to {theirs}",
                postfix.SetCommand(Parameter, ours.Name()));
        else if (!postfix.Explicit.Contains(Parameter))
            yield return new(
                "digest", SetupSeverity.Warning,
                $"the digest {theirs} is Postfix's default and changes with compatibility_level; pins would stop matching: set it",
                postfix.SetCommand(Parameter, ours.Name()));
        else
            yield return new("digest", SetupSeverity.Ok, $"both sides use {ours.Name()}");
    }
}
