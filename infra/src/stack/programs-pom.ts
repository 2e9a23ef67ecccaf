/** File names inside the programs folder. */
export const kafkaJars = 'kafka'
export const registryFolder = 'registry'
export const registryJar = 'apicurio-registry-app-2.6.13.Final-runner.jar'
export const redisFolder = 'redis'
export const redisBinary = 'redis-server-6.2.6-v5-linux-amd64'

/** The Maven project that fetches the servers' programs into `${programs}`; its hash names what is installed. */
export const programsPom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tidemark</groupId>
  <artifactId>servers</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>4.1.1</version>
    </dependency>
    <!-- Kafka's jars bring slf4j-api 1.7, so this is the binding, not log4j-slf4j2-impl. -->
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>2.25.1</version>
    </dependency>
  </dependencies>
  <build>
    <plugins>
      <plugin>
        <groupId>org.apache.maven.plugins</groupId>
        <artifactId>maven-dependency-plugin</artifactId>
        <version>3.8.1</version>
        <executions>
          <execution>
            <id>kafka</id>
            <phase>generate-resources</phase>
            <goals><goal>copy-dependencies</goal></goals>
            <configuration>
              <includeScope>runtime</includeScope>
              <outputDirectory>\${programs}/${kafkaJars}</outputDirectory>
            </configuration>
          </execution>
          <execution>
            <id>others</id>
            <phase>generate-resources</phase>
            <goals><goal>unpack</goal></goals>
            <configuration>
              <markersDirectory>\${programs}/markers</markersDirectory>
              <artifactItems>
                <artifactItem>
                  <groupId>io.apicurio</groupId>
                  <artifactId>apicurio-registry-app</artifactId>
                  <version>2.6.13.Final</version>
                  <type>tar.gz</type>
                  <classifier>all</classifier>
                  <outputDirectory>\${programs}/${registryFolder}</outputDirectory>
                </artifactItem>
                <artifactItem>
                  <groupId>com.github.codemonstur</groupId>
                  <artifactId>embedded-redis</artifactId>
                  <version>1.4.3</version>
                  <includes>${redisBinary}</includes>
                  <outputDirectory>\${programs}/${redisFolder}</outputDirectory>
                </artifactItem>
              </artifactItems>
            </configuration>
          </execution>
        </executions>
      </plugin>
    </plugins>
  </build>
</project>
`
