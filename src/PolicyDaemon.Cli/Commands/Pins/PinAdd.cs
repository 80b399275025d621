using System.CommandLine;
using PolicyDaemon.Cli.Changes;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary><c>pin add</c></summary>
internal static class PinAdd
{
    internal static Command Create(CommandRunner runner)
    {
        var of = new Option<string?>("--of") { HelpName = "certificate|public-key", Description = "What the fingerprint was taken of, if you know; Postfix tries both" };
        of.AcceptOnlyFromAmong(PinSubject.Certificate.Name(), PinSubject.PublicKey.Name());
        return PinChangeVerb.Complete(
            new("add", "Add a pin, for example the next key before the partner uses it. It is served at once.")
            {
                Columns = ChangeReport.Columns,
                ExitCodes = "1 where the key is not configured",
                Examples =
                [
                    ("policyctl pin add example.com 5A:3B:...", "Accept one more certificate or key."),
                    ("openssl x509 -in next.pem -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -c", "The fingerprint of a public key; it survives renewals with the same key."),
                    ("policyctl pin add example.com 5A:3B:... --of public-key --dry-run", "Show the answer before and after."),
                ],
            },
            runner,
            (context, decision) => decision.Add(PinNames.TryParse(context.Get(of), out PinSubject subject) ? subject : PinSubject.Unknown),
            PinChangeVerb.SayWhenFindingsEnd,
            of);
    }
}
