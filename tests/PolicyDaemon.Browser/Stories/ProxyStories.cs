using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Text;
using PolicyDaemon.Browser.Site;

namespace PolicyDaemon.Browser.Stories;

/// <summary>The recipes for nginx and Caddy, as they are shipped but for addresses, certificates and passwords, with Debian's programs.</summary>
[Collection(typeof(Shown))]
public sealed class ProxyStories(ShownSite site)
{
    private const string Name = "mail-status.example.com";

    private static string Shipped => Path.Combine(Repository.Root, "packaging", "monitoring");

    [Fact]
    public async Task Nginx_asks_who_it_is_and_shows_the_pages()
    {
        var port = RunningSite.FreePort();
        var folder = Directory.CreateDirectory(Path.Combine(site.Place, "nginx")).FullName;
        await CertificateAsync(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "users"), "alice:{PLAIN}secret\n", TestContext.Current.CancellationToken);
        var recipe = (await File.ReadAllTextAsync(Path.Combine(Shipped, "nginx.conf"), TestContext.Current.CancellationToken))
            .Replace("unix:/run/policydaemon/web.sock", site.Address.Authority, StringComparison.Ordinal)
            .Replace("listen 443 ssl", string.Create(CultureInfo.InvariantCulture, $"listen 127.0.0.1:{port} ssl"), StringComparison.Ordinal)
            .Replace("    listen [::]:443 ssl;\n", "", StringComparison.Ordinal)
            .Replace("/etc/ssl/mail-status.example.com.crt", folder + "/certificate", StringComparison.Ordinal)
            .Replace("/etc/ssl/private/mail-status.example.com.key", folder + "/key", StringComparison.Ordinal)
            .Replace("/etc/nginx/policydaemon.users", folder + "/users", StringComparison.Ordinal);
        await File.WriteAllTextAsync(
            Path.Combine(folder, "nginx.conf"),
            $"daemon off; {(Environment.IsPrivilegedProcess ? "user root; " : "")}pid {folder}/pid; error_log stderr; worker_processes 1; events {{ }}\nhttp {{\naccess_log off; client_body_temp_path {folder}/body; "
                + $"proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n{recipe}\n}}\n",
            TestContext.Current.CancellationToken);
        await using var nginx = new RunningProcess(["nginx", "-e", "stderr", "-p", folder, "-c", Path.Combine(folder, "nginx.conf")], entered: false);

        await RequireAsync(port, () => nginx.Said);
        // Prometheus is let in by its address, which this is not, and everybody else by the password.
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(port, HttpMethod.Get, "/metrics", isKnown: false));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(port, HttpMethod.Get, "/metrics", isKnown: true));
    }

    [Fact]
    public async Task Caddy_asks_who_it_is_and_shows_the_pages()
    {
        var port = RunningSite.FreePort();
        var folder = Directory.CreateDirectory(Path.Combine(site.Place, "caddy")).FullName;
        await CertificateAsync(folder);
        var password = (await CommandLine.RunAsync(["caddy", "hash-password", "--plaintext", "secret"])).Require().Trim();
        var recipe = (await File.ReadAllTextAsync(Path.Combine(Shipped, "Caddyfile"), TestContext.Current.CancellationToken))
            .Replace("unix//run/policydaemon/web.sock", site.Address.Authority, StringComparison.Ordinal)
            .Replace(Name + " {", $"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\nhttps://{Name}:{port} {{\n\ttls {folder}/certificate {folder}/key\n\tbind 127.0.0.1", StringComparison.Ordinal);
        recipe = string.Join('\n', recipe.Split('\n').Select(line => line.StartsWith("\t\talice ", StringComparison.Ordinal) ? "\t\talice " + password : line));
        await File.WriteAllTextAsync(Path.Combine(folder, "Caddyfile"), recipe, TestContext.Current.CancellationToken);
        await using var caddy = new RunningProcess(
            ["env", $"XDG_DATA_HOME={folder}", $"XDG_CONFIG_HOME={folder}", "caddy", "run", "--adapter", "caddyfile", "--config", Path.Combine(folder, "Caddyfile")], entered: false);

        await RequireAsync(port, () => caddy.Said);
    }

    private static async Task RequireAsync(int port, Func<string> said)
    {
        await Until.TrueAsync("the web server answers", async () => await StatusAsync(port, HttpMethod.Get, "/", isKnown: false) is not null, said);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(port, HttpMethod.Get, "/", isKnown: false));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(port, HttpMethod.Get, "/", isKnown: true));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(port, HttpMethod.Get, "/destinations/" + ShownStore.Rotating, isKnown: true));
        Assert.Contains(await StatusAsync(port, HttpMethod.Post, "/", isKnown: true), (HttpStatusCode?[])[HttpStatusCode.Forbidden, HttpStatusCode.MethodNotAllowed]);
    }

    /// <returns>Null where nobody listens.</returns>
    private static async Task<HttpStatusCode?> StatusAsync(int port, HttpMethod method, string path, bool isKnown)
    {
        // The name is the certificate's; its authority is this test.
        using var client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions { TargetHost = Name, RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=" + Name },
        });
        using var request = new HttpRequestMessage(method, new Uri(string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{port}{path}")));
        request.Headers.Host = Name;
        if (isKnown)
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes("alice:secret")));
        try
        {
            using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static async Task CertificateAsync(string folder) => (await CommandLine.RunAsync(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=" + Name,
            "-addext", "subjectAltName=DNS:" + Name, "-keyout", folder + "/key", "-out", folder + "/certificate"])).Require();
}
