using System.Globalization;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>The table of what disagrees, and the figures, which tests/run reads.</summary>
internal static class ForecastReport
{
    public static void Write(TextWriter output, string version, IReadOnlyList<Comparison> all, TimeSpan elapsed)
    {
        var wrong = all.Where(compared => !compared.IsRight).ToList();
        if (wrong.Count > 0)
        {
            output.WriteLine();
            output.WriteLine("kind of server                      policy        check without entry   check with entry      Postfix");
            foreach (var compared in wrong)
            {
                if (compared.Attempt is not { } attempt)
                {
                    output.WriteLine($"{compared.Kind.Group}/{compared.Kind.Name} {compared.Level.Name}: {compared.Fault}");
                    continue;
                }

                output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{compared.Kind.Group + "/" + compared.Kind.Name,-35} {compared.Level.Name,-13} {Mark(compared, compared.Before),-21} {Mark(compared, compared.InForce),-21} {compared.Result.Name()}"));
                output.WriteLine($"    {compared.Policy}");
                output.WriteLine($"    check:   {compared.Sentence}");
                output.WriteLine($"    Postfix: {attempt.Relay} {attempt.Dsn} {attempt.Text}");
            }
        }

        var mails = all.Count(compared => compared.Attempt is not null);
        output.WriteLine();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Postfix {version}: {all.Select(compared => compared.Kind).Distinct().Count()} kinds of server, {mails} mails, {wrong.Count} disagreements, {all.Count(compared => compared.IsUndecided)} rightly undecided, {elapsed:m\\:ss} min"));
    }

    private static string Mark(Comparison compared, IReadOnlyList<MailResult> forecast) =>
        (compared.Agrees(forecast) ? "" : "! ") + string.Join(" or ", forecast.Select(one => one.Name()));
}
