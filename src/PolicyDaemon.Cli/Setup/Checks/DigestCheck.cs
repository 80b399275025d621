using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>smtp_tls_fingerprint_digest equals ours: an answer cannot name its digest, and pins of another one never match.</summary>
internal static class DigestCheck
{
    private const string Parameter = "smtp_tls_fingerprint_digest";

    internal static IEnumerable<SetupResult> Run(SetupSubject subject)
    {
        var postfix = subject.Postfix;
        var ours = subject.Settings.Postfix.FingerprintDigest;
        var theirs = postfix[Parameter];
        var pinned = subject.Count(TlsLevel.Fingerprint);
        if (!DigestAlgorithms.TryParse(theirs, out var digest) || digest != ours)
            yield return new(
                "digest", SetupSeverity.Problem,
                $"Postfix computes {theirs} and policyd serves {ours.Name()}: no pin matches"
                + (pinned > 0 ? $", mail for {pinned} pinned {(pinned == 1 ? "destination" : "destinations")} waits" : "")
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
