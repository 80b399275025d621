namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>A transport in master.cf with a table, a level or a digest of its own is not covered by main.cf.</summary>
internal static class ServiceOverrideCheck
{
    private static readonly string[] Parameters = ["smtp_tls_policy_maps", "smtp_tls_fingerprint_digest"];

    internal static IEnumerable<SetupResult> Run(SetupSubject subject)
    {
        foreach (var service in subject.Postfix.SmtpClients)
        {
            foreach (var parameter in Parameters.Where(parameter => service.Overrides.ContainsKey(parameter)))
            {
                var value = subject.Postfix.For(service, parameter);
                if (value != subject.Postfix[parameter])
                    yield return new(
                        "service-override", SetupSeverity.Problem,
                        $"the transport {service.FullName} has its own {parameter} = {value}; mail that it sends is not under main.cf's value",
                        subject.Postfix.RemoveOverrideCommand(service, parameter));
            }
        }
    }
}
